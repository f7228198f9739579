r"""Tri-training (Shi et al., 2019): three models teach one another with clips nobody has labelled.

    python -m experiments.run --config=configs/tritrain.py
    python -m experiments.run --config=configs/tritrain.py --workdir=runs/mine \
        --config.data.root=DIR

DIR holds a folder of sounds for each class, `<class>/*.wav` (or .flac, .ogg, ready .npy). Four of
each class keep their labels; the others' are hidden but for the test. Beside it on the same clips:
one model with the labelled clips alone, and one that teaches itself.
"""

from ml_collections import ConfigDict
from ml_collections.config_dict import placeholder

from configs import defaults


def get_config() -> ConfigDict:
    """Returns the experiment."""
    shared = defaults.get_config()
    config = ConfigDict(dict(seed=0, method="tritraining"))

    data = config.data = ConfigDict()
    data.source = "sound_classes"
    data.root = placeholder(str)  # unset: sounds made up on the spot
    data.clip_seconds = 5.0  # longer clips are cut, shorter ones repeat
    data.num_labelled = 4  # clips of each class that keep their labels
    data.num_folds = 5
    data.folds = ()  # which of them to run, such as (0, 1); () for all
    # A regular expression: clips in whose names it finds the same text lie in one fold, such as
    # r"-(\d+)-" for parts of one recording in 1-187207-A.ogg. "" for none.
    data.groups = ""
    data.channel = 0
    data.on_bad_clip = "error"  # or "skip"
    data.cache = "disk"
    data.cache_dir = placeholder(str)

    # Sounds made up where there is no root (audio.sound_classes.SoundSettings).
    config.sounds = ConfigDict(
        dict(num_clips=40, seconds=5.0, lowest_snr_db=-6.0, highest_snr_db=12.0, seed=0)
    )
    config.logmel = shared.logmel
    config.logmel.frame_length, config.logmel.hop_length = 2048, 1024
    config.logmel.num_mels = 64

    model = config.model = ConfigDict()
    model.network = "cnn"  # ours, small; or mobilenet_v2, resnet50
    model.channels = (16, 32, 64, 128)  # of a cnn's blocks
    model.width = 0.5  # of a mobilenet_v2
    model.pool = 2  # pixels along each axis averaged to one, before the network
    model.norm_momentum = 0.9  # of running statistics
    model.dropout_rate = 0.3
    # What training does to clips.
    model.shift = 0.5  # share of the clip by which it is moved in time at most
    model.gain_db = 6.0
    model.time_mask = 0.2  # share of the clip that is hidden at most
    model.mel_mask = 0.2
    model.mixture = "power"  # linear combinations: power (before the log), db (after it), none
    model.mixed_share = 0.5  # of the clips that are combined with another

    tri = config.tri = ConfigDict()
    tri.threshold = 0.7  # a probability that both of the others must exceed
    # Of the labelled clips, for the three first models: a bootstrap sample of every class
    # (stratified) or of all together (plain, which may miss a class); or all of them.
    tri.sample = "stratified"
    tri.retrain = "anew"  # or "go_on", from what was learned before; in self-training too
    tri.temperature = 1.0  # of the pool's probabilities, as the student is told them
    # Self-training takes clips whose top probability is over `low` and not over `high`.
    config.self_training = ConfigDict(dict(low=0.8, high=1.0))

    train = config.train = shared.train
    train.num_epochs = 40
    train.steps_per_epoch = 10  # the same for every model, however many clips it has
    train.batch_size = 32
    train.learning_rate = 3e-3
    train.steps_per_call = 1  # on a CPU, convolutions within a loop are several times slower
    train.weight_decay = 0.01
    train.log_every_steps = 50
    train.checkpoint_every_steps = 400

    config.score = ConfigDict(dict(batch_size=64))
    # Whose results are `results.csv`: supervised, self_training, pool, student.
    config.report = ConfigDict(dict(system="student", num_clips=6))
    return config
