"""The best density this house can build: Group MADE that knows which unit it is listening to.

    python -m experiments.run --config=configs/gmade_id.py

The middle frame given the other four and the machine id, and how much likelier the clip is under
another unit's id than under its own. Two wide layers with dropout: on held-out train clips this
fits better than the report's nine narrow ones, which learn the training clips by heart. At a weight
of 2 the density and the margin vary about as much as each other over held-out normal clips.
"""

from ml_collections import ConfigDict

from configs import gmade_idnn


def get_config() -> ConfigDict:
    """Returns the experiment."""
    config = gmade_idnn.get_config()
    config.model.hidden = (256, 256)
    config.model.dropout_rate = 0.2
    config.model.use_id = True
    config.model.score = "both"
    return config
