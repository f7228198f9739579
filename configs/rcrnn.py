r"""R-CRNN: events as regions in time, proposed and judged (Kao et al., 2018).

    python -m experiments.run --config=configs/rcrnn.py
    python -m experiments.run --config=configs/rcrnn.py --config.data.root=DIR

DIR holds your own recordings: events/<class>/* and backgrounds/*. --config.model.num_regions=0 is
the form without the second classifier.
"""

from ml_collections import ConfigDict

from configs import detection


def get_config() -> ConfigDict:
    """Returns the experiment."""
    config = detection.defaults()
    model = config.model = ConfigDict()
    model.detector = "rcrnn"
    model.channels = (16, 32, 48)  # of the stem and of every residual block
    model.pools = ((1, 2), (2, 2), (1, 2))  # (time, frequency) after each; the stem halves both
    model.features = 64
    model.recurrent = 48  # units each way
    model.lengths = (0.25, 0.41, 0.68, 1.1, 1.8, 3.0, 5.0)  # of anchors, seconds
    model.hit_iou = 0.5  # an anchor or region that overlaps the event so much is one
    model.miss_iou = 0.3  # an anchor that overlaps it less is none
    model.num_misses = 32  # of each clip: those most confidently taken for events
    model.num_regions = 8  # proposals that are judged; 0: no second stage
    model.max_iou = 0.5  # of proposals that are kept beside one another
    model.num_points = 6  # a region is pooled at
    model.dropout_rate = 0.2
    model.from_own_mean = True  # a clip is heard as what differs from its own mean spectrum
    model.max_band_shift = 4  # mel bands by which training clips are moved up or down
    model.masked_share = 0.25  # of the mel bands of each training clip, at most
    return config
