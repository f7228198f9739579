import subprocess
import sys
import time
from pathlib import Path

import jax
import numpy as np
import pytest

from audio.wav import encode_wav
from configs.ensembles import ensemble_of
from experiments.batches import Batches
from experiments.data import load_data, training_windows
from experiments.errors import ConfigError
from experiments.experiment import run
from experiments.methods import build
from experiments.sample import sample
from experiments.track import Member, restore
from experiments.train import train


@pytest.fixture
def trained(tmp_path, clips, tiny):
    """A function that trains a config and gives its work directory."""

    def get(config):
        run(config, tmp_path / "run", time.monotonic())
        return tmp_path / "run"

    return get


def causal(tiny, **model):
    config = tiny("gmade_causal")
    config.model.update(model)
    return config


def test_samples_can_be_seen_heard_and_fed_back(tmp_path, trained, tiny, capsys):
    config = causal(tiny, use_id=True)
    workdir = trained(config)
    capsys.readouterr()
    page = sample(config, workdir, 2, None)
    assert page == workdir / "samples" / "index.html"
    stems = {f"pump_id_{id_}_{i}" for id_ in ("00", "01") for i in (0, 1)}
    names = {f"{stem}{kind}" for stem in stems for kind in (".npy", ".wav")}
    assert {path.name for path in page.parent.iterdir()} == {*names, "pump.png", "index.html"}
    logmels = {stem: np.load(page.parent / f"{stem}.npy") for stem in stems}
    for logmel in logmels.values():
        assert logmel.shape == (24, 128) and logmel.dtype == np.float16
        assert abs(logmel.astype(np.float32).mean() + 38.5) < 5
    sound = (page.parent / "pump_id_00_0.wav").read_bytes()
    assert len(sound) == len(encode_wav(np.zeros(23 * 512), 16000))
    text = page.read_text()
    assert text.count("data:audio/wav;base64,") == 8
    said = capsys.readouterr().out
    assert "in frequency" in said and "begin with" not in said
    for kind in ("6 train", "4 test, normal", "2 sampled"):
        assert said.count(kind) == 2
    again = {path.name: path.read_bytes() for path in page.parent.iterdir()}
    sample(config, workdir, 2, None)
    assert again == {path.name: path.read_bytes() for path in page.parent.iterdir()}
    for split in ("train", "test"):
        (tmp_path / "mine" / "pump" / split).mkdir(parents=True)
    for stem, logmel in logmels.items():
        np.save(tmp_path / "mine" / "pump" / "train" / f"normal_{stem[5:]}.npy", logmel)
    machine = load_data(tiny(root=tmp_path / "mine")).machines[0]
    assert len(machine.train.clips) == 4


def test_where_only_the_last_frame_is_modelled_samples_begin_as_a_clip(trained, tiny, capsys):
    config = causal(tiny, train_frames=(4,), score_frames=(4,))
    workdir = trained(config)
    page = sample(config, workdir, 1, 0.8)
    sampled = np.load(page.parent / "pump_id_00_0.npy")
    assert len(sampled) == 26
    real = np.load(Path(config.data.root) / "pump" / "train" / "normal_id_00_00000000.npy")
    kept = (sampled == real[0]).all(1) | (sampled[:, :1] == real[0, :1]).all(1)
    assert np.array_equal(sampled[:4], real[:4]) and not kept[4:].any()
    assert "begin with 4 frames" in page.read_text()
    assert "begin with 4 frames" in capsys.readouterr().out


def test_restored_variables_are_those_that_training_ended_with(tmp_path, clips, tiny):
    config = causal(tiny)
    machine = load_data(config).machines[0]
    windows, classes = training_windows(machine, config)
    batches = Batches(windows, classes, config.train.batch_size, config.seed)
    member = Member("pump", build(config, 2), batches, config, tmp_path / "pump")
    assert restore(member)[0] == 0 and not member.workdir.exists()
    (variables,) = train([member])
    done, restored = restore(member)
    assert done == member.num_steps
    for own, other in zip(
        *(sorted(leaves(each).items()) for each in (variables, restored)), strict=True
    ):
        assert own[0] == other[0] and np.array_equal(own[1], other[1])


def leaves(tree):
    return {jax.tree_util.keystr(path): leaf for path, leaf in jax.tree.leaves_with_path(tree)}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({}, "train it first"),
        ({"ordering": "reversed"}, r"model\.ordering='reversed'.*configs/gmade_causal\.py"),
        ({"train_frames": (1,), "score_frames": (1,)}, r"model\.train_frames=\(1,\)"),
    ],
)
def test_what_cannot_be_sampled_is_one_line(tmp_path, clips, tiny, change, says):
    with pytest.raises(ConfigError, match=says) as error:
        sample(causal(tiny, **change), tmp_path / "run", 1, None)
    assert "\n" not in str(error.value) and not (tmp_path / "run").exists()


def test_only_a_density_can_be_sampled(tmp_path, clips, tiny):
    for config in (tiny("ssl_small"), ensemble_of(one=tiny())):
        with pytest.raises(ConfigError, match=f"only a density.*'{config.method}'"):
            sample(config, tmp_path / "run", 1, None)


def test_numbers_on_the_command_line_are_checked(tmp_path, trained, tiny):
    config = causal(tiny)
    with pytest.raises(ConfigError, match="--num_samples=0"):
        sample(config, tmp_path / "run", 0, None)
    workdir = trained(config)
    with pytest.raises(ConfigError, match=r"--sample_seconds=0\.1"):
        sample(config, workdir, 1, 0.1)
    (workdir / "pump" / "checkpoints").rename(workdir / "elsewhere")
    with pytest.raises(ConfigError, match="pump holds no checkpoint"):
        sample(config, workdir, 1, None)
    config.seed = 1
    with pytest.raises(ConfigError, match="holds another config"):
        sample(config, workdir, 1, None)


def test_the_command_says_in_one_line_that_nothing_is_trained(tmp_path):
    options = "--config=configs/gmade_causal.py", f"--workdir={tmp_path / 'none'}", "--mode=sample"
    done = subprocess.run(
        [sys.executable, "-m", "experiments.run", *options],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith("the same command without --mode=sample")
