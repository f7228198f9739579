"""The study's encoder (Argese et al.): how far a whole clip's code is from the train clips' mean.

    python -m experiments.run --config=configs/fc_encoder.py

The encoder of `fc_autoencoder.py`, which learns by decoding.
"""

from ml_collections import ConfigDict

from configs import fc_autoencoder


def get_config() -> ConfigDict:
    """Returns the experiment."""
    config = fc_autoencoder.get_config()
    config.model.score = "embedding"
    return config
