"""Group MADE in the IDNN ordering: the middle frame given the other four (Giri et al., System 4).

    python -m experiments.run --config=configs/gmade_idnn.py

The report's network, mixture, optimiser and features; all ids of a machine type in one model,
without the id as input. Only the scored conditional is trained: the other four frames' own
density neither helps it nor is scored.
"""

from ml_collections import ConfigDict
from ml_collections.config_dict import placeholder

from configs import defaults


def get_config() -> ConfigDict:
    """Returns the experiment."""
    config = defaults.get_config()
    model = config.model = ConfigDict()
    # A name (causal, reversed, middle_last, first_last), a rank for each frame such as
    # (0, 0, 1, 0, 0), or an adjacency matrix (row i: the frames that frame i may see).
    model.ordering = placeholder(object)
    model.ordering = "middle_last"
    model.grouped = True  # False: one bin a group, the original MADE
    model.hidden = (128, 128, 128, 128, 32, 128, 128, 128, 128)
    model.num_components = 10  # Gaussians per bin; 0 for a single Gaussian without weights
    model.max_components = 0  # more: filled up, so that mixtures of several sizes train together
    model.activation = "relu"
    model.dropout_rate = 0.0
    model.train_frames = (2,)  # frames whose conditional is trained; () for all
    model.score_frames = (2,)  # frames whose conditional is scored; () for all trained
    model.precision = "float32"  # of the factors of products; or bfloat16
    model.use_id = False  # the machine id as an always-visible input
    model.score = "density"  # with use_id also: margin (against the other ids), both
    model.margin_weight = 2.0  # of the margin in "both"
    return config
