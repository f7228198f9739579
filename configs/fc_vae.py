"""The study's fully-connected beta-VAE of whole clips (Argese et al.): a code of 8, beta 0.001.

python -m experiments.run --config=configs/fc_vae.py
"""

from ml_collections import ConfigDict

from configs import fc_autoencoder


def get_config() -> ConfigDict:
    """Returns the experiment."""
    config = fc_autoencoder.get_config()
    model = config.model
    model.latent, model.variational, model.beta = 8, True, 0.001
    return config
