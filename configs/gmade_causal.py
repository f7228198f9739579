"""Group MADE in the causal ordering: every frame given those before it, the joint density scored.

python -m experiments.run --config=configs/gmade_causal.py
"""

from ml_collections import ConfigDict

from configs import gmade_idnn


def get_config() -> ConfigDict:
    """Returns the experiment."""
    config = gmade_idnn.get_config()
    config.model.ordering = "causal"
    config.model.train_frames = ()
    config.model.score_frames = ()
    return config
