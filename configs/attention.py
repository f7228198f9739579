r"""The attention detector: what it attends to is the event (Wang et al., 2018).

    python -m experiments.run --config=configs/attention.py
    python -m experiments.run --config=configs/attention.py --config.data.root=DIR

DIR holds your own recordings: events/<class>/* and backgrounds/*.
"""

from ml_collections import ConfigDict

from configs import detection


def get_config() -> ConfigDict:
    """Returns the experiment."""
    config = detection.defaults()
    model = config.model = ConfigDict()
    model.detector = "attention"
    model.features = 32  # units of each recurrent layer, each way
    model.num_halvings = 4  # of the time resolution
    model.frame_weight = 5.0  # lambda: of the frames' cross-entropy, where the event is
    model.share = 0.5  # frames about the peak with so much of its attention are the event
    model.dropout_rate = 0.3
    model.from_own_mean = True  # a clip is heard as what differs from its own mean spectrum
    model.max_band_shift = 4  # mel bands by which training clips are moved up or down
    model.masked_share = 0.25  # of the mel bands of each training clip, at most
    return config
