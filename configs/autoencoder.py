"""The challenge's dense autoencoder (Koizumi et al., 2020): five frames through eight units.

    python -m experiments.run --config=configs/autoencoder.py

640-128-128-128-128-8-128-128-128-128-640, batch norm and ReLU after all layers but the last, mean
squared error, Adam; log-mels as they are, in dB.
"""

from ml_collections import ConfigDict

from configs import defaults


def get_config() -> ConfigDict:
    """Returns the experiment."""
    config = defaults.get_config()
    config.method = "autoencoder"
    model = config.model = ConfigDict()
    model.network = "dense"  # or conv
    model.hidden = (128, 128, 128, 128)  # of the encoder; conv: channels. The decoder mirrors it
    model.latent = 8  # dimensions of the code
    model.batch_norm = True
    model.rectify_code = True
    model.variational = False  # codes are drawn, and kept near a standard normal
    model.beta = 0.0  # the weight of their divergence from it
    model.targets = ()  # frames to be predicted from the others; () for all from all
    model.standardise = "none"  # bin: each mel bin; feature: each bin of each frame of a window
    # The error of what comes out; elbo: with the divergence; embedding: how far the code is from
    # the mean code of train windows.
    model.score = "error"
    config.train.num_epochs = 100
    config.train.schedule = "constant"
    config.train.max_grad_norm = 1e6
    return config
