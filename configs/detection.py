"""What the detectors of rare events share; each class of events has a model of its own."""

from ml_collections import ConfigDict
from ml_collections.config_dict import placeholder


def defaults() -> ConfigDict:
    """The shared keys, with their defaults."""
    config = ConfigDict()
    config.seed = 0
    config.method = "detector"

    data = config.data = ConfigDict()
    data.source = "rare_events"
    # Unset: mixtures of made-up sounds. Otherwise a folder with events/<class>/* and
    # backgrounds/*, from which mixtures are made, or with ready clips and an annotations.csv.
    data.root = placeholder(str)
    data.machines = placeholder(object)  # the classes: "cry,shot" or ("cry", "shot"); unset: all
    data.channel = 0
    data.on_bad_clip = "error"  # or "skip"
    data.cache = "disk"  # of log-mels: disk, memory, none
    data.cache_dir = placeholder(str)  # unset: $XDG_CACHE_HOME/gmade or ~/.cache/gmade

    # audio.rare_events.MixtureSettings; 960 mixtures of 30 s are 640 MB in the cache.
    config.mixtures = ConfigDict(
        dict(
            num_train=200,
            num_valid=40,
            num_test=80,
            seconds=30.0,
            ratios_db=(-6.0, 0.0, 6.0),
            valid_share=0.2,  # of the sources, which no other split hears
            test_share=0.3,
            gate_db=30.0,  # finds events that are not annotated: so far below the loudest moment
            gate_gap=0.3,  # seconds of silence that do not part an event
            num_sources=40,  # made-up events of a class, and made-up backgrounds
            seed=0,
        )
    )
    # A frame every 46 ms, as in the papers; 64 mel bands.
    config.logmel = ConfigDict(
        dict(sample_rate=16000, frame_length=1024, hop_length=736, num_mels=64)
    )
    config.window = ConfigDict(dict(num_frames=0, hop=1))  # a clip is a window

    train = config.train = ConfigDict()
    train.num_epochs = 12  # at most
    train.patience = 6  # looks at the valid mixtures' error rate without a better one
    train.batch_size = 8
    train.learning_rate = 2e-3
    train.schedule = "cosine"
    train.max_grad_norm = 1.0
    train.weight_decay = 0.0
    train.steps_per_call = 1  # convolutions in a loop are slow on a CPU; on accelerators set more
    train.resident_gb = 8.0
    train.log_every_steps = 10
    train.checkpoint_every_steps = 50  # and a look

    # The threshold: unset, that of the lowest error rate on the valid mixtures.
    config.score = ConfigDict(dict(batch_size=16, collar=0.5, threshold=placeholder(float)))
    config.report = ConfigDict(dict(num_clips=4))
    return config
