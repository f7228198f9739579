"""The study's fully-connected autoencoder of whole clips (Argese et al.), with a code of 64.

    python -m experiments.run --config=configs/fc_autoencoder.py

Every bin of every frame is standardised by itself. The widths of the hidden layers are ours.
"""

from ml_collections import ConfigDict

from configs import autoencoder


def get_config() -> ConfigDict:
    """Returns the experiment."""
    config = autoencoder.get_config()
    config.window.num_frames = 0  # whole clips, or as much of each as the shortest has
    model = config.model
    model.hidden, model.latent = (512, 256), 64
    model.batch_norm, model.rectify_code = False, False
    model.standardise = "feature"
    train = config.train
    train.num_epochs, train.batch_size = 30, 32
    train.schedule = "plateau"  # the rate is multiplied by the factor when the loss of epochs
    train.plateau_factor, train.plateau_patience = 0.5, 3  # has not fallen for so many of them
    config.score.batch_size = 64
    return config
