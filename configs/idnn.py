"""IDNN (Suefusa et al., 2020): the middle frame predicted from the other four.

python -m experiments.run --config=configs/idnn.py
"""

from ml_collections import ConfigDict

from configs import autoencoder


def get_config() -> ConfigDict:
    """Returns the experiment."""
    config = autoencoder.get_config()
    model = config.model
    model.hidden, model.latent, model.batch_norm = (64, 32), 16, False
    model.targets = (2,)
    model.standardise = "bin"
    return config
