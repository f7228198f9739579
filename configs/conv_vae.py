"""The study's convolutional beta-VAE of whole clips (Argese et al.), chosen by cross-validation.

    python -m experiments.run --config=configs/conv_vae.py

Code size and beta are those whose held-out train clips have the smallest error, in five folds. The
channels, and that the choice is made among models of few epochs, are ours.
"""

from ml_collections import ConfigDict

from configs import fc_autoencoder


def get_config() -> ConfigDict:
    """Returns the experiment."""
    config = fc_autoencoder.get_config()
    model = config.model
    model.network, model.hidden = "conv", (16, 32, 64, 64)
    model.variational = True
    model.latent, model.beta = 32, 0.01
    choose = config.choose = ConfigDict()
    choose.num_folds = 5
    choose.num_epochs = 5
    choose.grid = (("model.latent", (8, 16, 32)), ("model.beta", (0.01, 0.1, 1.0)))
    config.train.steps_per_call = 1  # convolutions are slow in a loop on a CPU
    return config
