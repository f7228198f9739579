"""A MobileNetV2 that tells machine ids apart (Giri et al., section 2.2), for accelerators.

    python -m experiments.run --config=configs/ssl_mobilenet.py

Images of 64 frames every 8; half of them linear combinations of two, on mel power.
"""

from ml_collections import ConfigDict

from configs import defaults


def get_config() -> ConfigDict:
    """Returns the experiment."""
    config = defaults.get_config()
    config.method = "ssl"
    config.window.num_frames = 64
    config.window.hop = 8
    model = config.model = ConfigDict()
    model.network = "mobilenet_v2"  # or resnet50
    model.width = 0.5  # of a MobileNetV2: factor on its channels
    model.pool = 1  # pixels along each axis averaged to one, before the network
    model.norm_momentum = 0.99  # of running statistics; Keras' 0.999 needs thousands of steps
    model.head = "softmax"  # or arcface
    model.arcface_margin = 0.5  # radians
    model.arcface_scale = 30.0
    model.dropout_rate = 0.0
    model.mixture = "power"  # linear combinations: power (before the log), db (after it), none
    model.mixed_share = 0.5  # of the images that are combined with another
    model.speeds = ()  # such as (0.9, 1.1): clips played slower or faster, a new class of every id
    model.num_warps = 0  # kinds of spectral warping, each a new class of every id
    model.warp_strength = 0.5  # by how much an axis is stretched at most, as a share
    # Of the logits: log_softmax, softmax, log_odds, cosine (arcface). Of the embeddings, by how far
    # they are from the own id's train clips: mahalanobis, neighbours.
    model.score = "log_softmax"
    model.num_neighbours = 2  # whose distances are averaged
    config.train.num_epochs = 20
    config.train.batch_size = 64
    return config
