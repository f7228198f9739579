import importlib

import numpy as np
import pytest


def write_logmels(root, machine="pump", ids=("00", "01"), num_train=6, num_test=4, frames=24):
    """A folder of ready log-mels: coloured noise, louder in its upper bands where anomalous."""
    rng = np.random.default_rng(0)
    for split, label, count in (
        ("train", "normal", num_train),
        ("test", "normal", num_test),
        ("test", "anomaly", num_test),
    ):
        (root / machine / split).mkdir(parents=True, exist_ok=True)
        for unit in ids:
            for index in range(count):
                logmel = -40 + 6 * rng.normal(size=(frames, 128)) + 3 * int(unit)
                logmel[:, 96:] += 15 * (label == "anomaly")
                path = root / machine / split / f"{label}_id_{unit}_{index:08d}.npy"
                np.save(path, logmel.astype(np.float16))
    return root


@pytest.fixture
def clips(tmp_path):
    return write_logmels(tmp_path / "clips")


@pytest.fixture
def tiny(tmp_path):
    """A function from a config's name to that config, small enough for a test."""

    def get(name="gmade_idnn", root=tmp_path / "clips"):
        config = importlib.import_module(f"configs.{name}").get_config()
        config.data.source = "folder"
        config.data.root = str(root)
        config.data.cache_dir = str(tmp_path / "cache")
        for each in config.members.values() if config.method == "ensemble" else [config]:
            shrink(each)
        return config

    def shrink(config):
        if config.method == "embedding":
            return  # nothing is trained, and the networks are of one size
        if config.method == "ssl":
            config.window.num_frames, config.window.hop = 16, 4
            config.model.network, config.model.width = "mobilenet_v2", 0.1
        elif config.method == "autoencoder":
            config.model.hidden = (8, 4) if config.model.network == "conv" else (16, 8)
            if "choose" in config:
                config.choose.num_folds, config.choose.num_epochs = 2, 1
                config.choose.grid = (("model.latent", (4,)),)
        else:
            config.model.hidden, config.model.num_components = (16, 8, 16), 2
        config.train.num_epochs = 2
        config.train.batch_size = 64
        config.train.steps_per_call = 2
        config.train.log_every_steps = 2
        config.train.checkpoint_every_steps = 4
        config.score.batch_size = 64
        if config.model.get("standardise") == "none":
            # It takes a while to come from zero to -40 dB.
            config.train.num_epochs, config.train.learning_rate = 60, 0.02
            config.train.checkpoint_every_steps, config.train.steps_per_call = 1000, 50

    return get
