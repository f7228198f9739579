"""DCASE 2017's baseline for rare events: five frames of 40 mel bands, 2 x 50 units, a median.

python -m experiments.run --config=configs/detection_baseline.py
"""

from ml_collections import ConfigDict

from configs import detection


def get_config() -> ConfigDict:
    """Returns the experiment."""
    config = detection.defaults()
    config.logmel.num_mels = 40
    config.logmel.frame_length = 640  # 40 ms every 20 ms
    config.logmel.hop_length = 320
    model = config.model = ConfigDict()
    model.detector = "frames"
    model.hidden = (50, 50)
    model.context = 5  # frames
    model.median_seconds = 0.54
    model.longest_only = False  # as published, every run of active frames is an event
    model.dropout_rate = 0.2
    model.from_own_mean = False
    model.max_band_shift = 0
    model.masked_share = 0.0
    config.train.num_epochs = 40
    config.train.learning_rate = 1e-3
    config.train.checkpoint_every_steps = 125
    return config
