"""What every experiment shares. Each section is the keyword arguments of what it configures."""

from ml_collections import ConfigDict
from ml_collections.config_dict import placeholder


def get_config() -> ConfigDict:
    """The shared keys, with their defaults."""
    config = ConfigDict()
    config.seed = 0
    config.method = "gmade"

    data = config.data = ConfigDict()
    data.source = "synthetic"  # synthetic, folder, dcase2020
    data.root = placeholder(str)  # the clips; for dcase2020, a directory of downloaded zips
    data.machines = placeholder(object)  # "fan,pump" or ("fan", "pump"); unset: all there are
    data.channel = 0  # which channel of a multi-channel recording
    data.num_held_out = placeholder(int)  # MIMII layout: normal clips an id kept for test
    data.rehearsal = 0.0  # share of train clips held out for a test made of train clips alone
    data.on_bad_clip = "error"  # or "skip"
    data.cache = "disk"  # of log-mels: disk, memory, none
    data.cache_dir = placeholder(str)  # unset: $XDG_CACHE_HOME/gmade or ~/.cache/gmade
    data.parts = ("development",)  # dcase2020: development, additional, evaluation
    data.labels = placeholder(str)  # dcase2020: the evaluator's label file, if there is one

    # The synthetic machine hall (audio.hall.HallSettings).
    config.hall = ConfigDict(
        dict(
            num_ids=3, num_train=120, num_normal=25, num_anomaly=25, seconds=5.0, snr_db=8.0, seed=0
        )
    )
    # Giri et al., section 2.1: 64 ms frames every 32 ms, 1024-point FFT, 128 mel bands.
    config.logmel = ConfigDict(
        dict(sample_rate=16000, frame_length=1024, hop_length=512, num_mels=128)
    )
    config.window = ConfigDict(dict(num_frames=5, hop=1))

    train = config.train = ConfigDict()
    train.num_epochs = 8
    train.batch_size = 512
    train.learning_rate = 1e-3
    train.schedule = "cosine"  # to zero over the whole run; or "constant"
    train.max_grad_norm = 1.0
    train.weight_decay = 0.0  # of weights, not of biases and scales; times the learning rate
    train.steps_per_call = 50  # steps that run as one program
    train.resident_gb = 8.0  # log-mels up to so many GB live on the device; more are streamed
    train.population = "auto"  # machines of one shape train as one program: always, never, auto
    train.log_every_steps = 50
    train.checkpoint_every_steps = 250

    score = config.score = ConfigDict()
    score.pooling = "mean"  # window scores to a clip score: mean, max, median, top10
    score.batch_size = 2048

    config.report = ConfigDict(dict(num_strange_clips=3))
    return config
