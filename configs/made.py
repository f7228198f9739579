"""The ungrouped MADE (Germain et al., 2015): every bin given all bins before it, in causal order.

    python -m experiments.run --config=configs/made.py

Its hidden layers are as wide as its 640 inputs: a narrower layer has too few degrees to tell
every bin from the next.
"""

from ml_collections import ConfigDict

from configs import gmade_causal


def get_config() -> ConfigDict:
    """Returns the experiment."""
    config = gmade_causal.get_config()
    config.model.grouped = False
    config.model.hidden = (640, 640)
    return config
