"""Tri-training, from a folder of sounds to its report."""

import csv
import time

import jax
import numpy as np
import pytest

from audio.clips import DataError
from audio.wav import encode_wav
from configs import tritrain
from experiments import methods, tritraining
from experiments.errors import ConfigError
from experiments.sounds import draw_folds, load_sounds
from experiments.track import Track
from experiments.tritraining_fold import NAMES
from scoring.tritraining import SYSTEMS

FRAMES, MELS = 16, 8


def write_sounds(root, classes=("cry", "horn", "rain"), num_clips=8):
    """Ready log-mels: coloured noise, each class louder in bands of its own."""
    rng = np.random.default_rng(0)
    for k, name in enumerate(classes):
        (root / name).mkdir(parents=True)
        for index in range(num_clips):
            logmel = -40 + 3 * rng.normal(size=(FRAMES + index - 4, MELS))
            logmel[:, 2 * k : 2 * k + 2] += 15
            np.save(root / name / f"{index // 2}-{index % 2}.npy", logmel.astype(np.float16))
    return root


@pytest.fixture
def config(tmp_path):
    config = tritrain.get_config()
    config.data.root = str(write_sounds(tmp_path / "sounds"))
    config.data.cache_dir = str(tmp_path / "cache")
    config.data.num_labelled, config.data.num_folds = 2, 2
    config.logmel.num_mels = MELS
    config.data.clip_seconds = FRAMES * config.logmel.hop_length / config.logmel.sample_rate
    config.model.channels, config.model.pool = (4, 8), 1
    config.model.norm_momentum, config.model.mixture = 0.5, "none"
    config.tri.threshold, config.self_training.low = 0.4, 0.4
    config.train.num_epochs, config.train.steps_per_epoch = 1, 12
    config.train.batch_size, config.train.learning_rate = 8, 0.02
    config.score.batch_size = 16
    return config


def run(config, workdir):
    return tritraining.run(config, workdir, time.monotonic())


def rows(path):
    return list(csv.reader(path.read_text().splitlines()))


def test_from_a_folder_of_sounds_to_the_report(tmp_path, config, capsys):
    workdir = tmp_path / "run"
    page = run(config, workdir).read_text()
    results, compared = rows(workdir / "results.csv"), rows(workdir / "comparison.csv")
    assert results[0] == ["class", "eer"] and compared[0] == ["class", *SYSTEMS]
    assert [row[0] for row in results[1:]] == ["cry", "horn", "rain", "average"]
    assert [row[1] for row in results] == ["eer", *(row[-1] for row in compared[1:])]
    assert float(compared[-1][SYSTEMS.index("pool") + 1]) < 0.2
    predictions = rows(workdir / "predictions.csv")
    assert len(predictions) == 1 + 24 * (len(NAMES) + 1)
    assert {row[3] for row in predictions[1:]} == {*NAMES, "pool"}
    probs = np.array([row[5:] for row in predictions[1:]], float)
    np.testing.assert_allclose(probs.sum(1), 1, atol=1e-5)
    taken = rows(workdir / "pseudo_labels.csv")
    assert taken[0] == ["fold", "model", "clip", "label", "truth"]
    assert {row[1] for row in taken[1:]} <= {"self_training", *NAMES}
    assert np.mean([row[3] == row[4] for row in taken[1:]]) > 0.8
    assert "Against self-training" in page and "Pseudo-labels" in page
    assert "repeated up to" in page and (workdir / "figures" / "error_rates.svg").exists()
    assert "Equal error rate, %" in capsys.readouterr().out


def test_a_run_that_was_killed_ends_as_one_that_was_not(tmp_path, config, monkeypatch):
    config.data.folds = (1,)
    run(config, tmp_path / "whole")
    save, saved = Track.save, []

    def killed_at_the_fourth(self, step, state):
        if len(saved) == 3:
            raise KeyboardInterrupt
        saved.append(step)
        save(self, step, state)

    monkeypatch.setattr(Track, "save", killed_at_the_fourth)
    with pytest.raises(KeyboardInterrupt):
        run(config, tmp_path / "killed")
    monkeypatch.setattr(Track, "save", lambda *args: saved.append("more") or save(*args))
    run(config, tmp_path / "killed")
    assert saved == [12] * 3 + ["more"] * (len(NAMES) - 3)
    for name in ("predictions.csv", "pseudo_labels.csv", "results.csv"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_recordings_can_be_played_and_retraining_can_go_on(tmp_path, config):
    root = tmp_path / "wavs"
    rng = np.random.default_rng(0)
    for name, hertz in (("high", 3000), ("low", 300)):
        (root / name).mkdir(parents=True)
        for index in range(6):
            times = np.arange(8000) / 16000
            signal = 0.1 * np.sin(2 * np.pi * hertz * times) + 0.3 * rng.normal(size=8000)
            (root / name / f"{index}.wav").write_bytes(encode_wav(signal, 16000))
    config.data.root, config.data.folds = str(root), (0,)
    config.tri.retrain, config.tri.sample = "go_on", "plain"
    config.train.steps_per_epoch = 1
    page = run(config, tmp_path / "run").read_text()
    gained = "supervised learning took for something else" in page
    assert gained == ("data:audio/wav;base64," in page)


def test_without_a_folder_sounds_are_made_up(config):
    config.data.root = None
    config.sounds.num_clips, config.sounds.seconds = 1, 0.5
    sounds = load_sounds(config)
    assert len(sounds.clips) == len(sounds.classes) == 9 and "cry" in sounds.classes
    del config.sounds
    with pytest.raises(ConfigError, match="needs its folder"):
        load_sounds(config)


@pytest.mark.parametrize("network", ["cnn", "mobilenet_v2", "resnet50"])
def test_every_network_learns_soft_labels_and_gives_probabilities(config, network):
    """Shapes alone: the large ones take long to compile."""
    config.model.network = network
    config.window = dict(num_frames=32, hop=1)
    method = methods.build(config, 3)
    moments = {"mean": np.zeros(MELS, np.float32), "std": np.ones(MELS, np.float32)}
    variables = jax.eval_shape(method.init, jax.random.key(0), moments)
    batch = {"x": np.zeros((8, 32, MELS), np.float32), "targets": np.full((8, 3), 1 / 3, "f")}
    assert method.loss is not None
    nats, (after, _) = jax.eval_shape(method.loss, variables, jax.random.key(0), batch)
    assert nats.shape == () and jax.tree.structure(after) == jax.tree.structure(variables)
    assert jax.eval_shape(method.score, variables, batch).shape == (8, 3)


def test_every_class_is_in_every_part_of_every_fold_and_folds_share_no_test_clip(config):
    sounds = load_sounds(config)
    assert sounds.images.shape == (24, FRAMES, MELS)
    config.data.num_folds = 4
    folds = draw_folds(sounds, config)
    tested = np.sort(np.concatenate([fold.test for fold in folds]))
    np.testing.assert_array_equal(tested, np.arange(24))
    for fold in folds:
        parts = [fold.labelled, fold.unlabelled, fold.test]
        np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(24))
        assert [np.bincount(sounds.labels[part]).tolist() for part in parts] == [
            [2] * 3,
            [4] * 3,
            [2] * 3,
        ]


def test_parts_of_one_recording_lie_in_one_fold(config):
    config.data.groups = r"/(\d)-"
    sounds = load_sounds(config)
    config.data.num_folds = 4
    for fold in draw_folds(sounds, config):
        recordings = [
            {sounds.clips[i].name.split("-")[0] for i in part}
            for part in (fold.test, np.concatenate([fold.labelled, fold.unlabelled]))
        ]
        assert not recordings[0] & recordings[1]


@pytest.mark.parametrize(
    "key, value, message",
    [
        ("model.network", "perceptron", "use cnn, mobilenet_v2, resnet50"),
        ("model.mixture", "sum", "use none, power, db"),
        ("model.time_mask", 1.5, r"model.time_mask=1.5 must be in \[0, 1\]"),
        ("model.pool", 3, "model.pool=3 must divide logmel.num_mels=8"),
        ("model.channels", (4,) * 5, "clips need 32 frames"),
        ("tri.threshold", 1.0, r"tri.threshold=1.0 must be in \[0, 1\)"),
        ("tri.retrain", "again", "use anew, go_on"),
        ("tri.sample", "some", "use stratified, plain, all"),
        ("tri.temperature", 0.0, "tri.temperature"),
        ("self_training.low", 1.0, "self_training.low=1.0 must be below"),
        ("report.system", "oracle", "use supervised, self_training, pool, student"),
        ("data.clip_seconds", 0.0, "data.clip_seconds"),
        ("data.source", "folder", "data.source='folder'"),
        ("data.folds", (2,), "must be numbers from 0 to 1"),
        ("data.groups", "(", "is no regular expression"),
        ("data.num_folds", 1, "data.num_folds must be 2 or more"),
        ("train.steps_per_epoch", 0, "train.steps_per_epoch"),
    ],
)
def test_wrong_settings_are_named(tmp_path, config, key, value, message):
    config.update_from_flattened_dict({key: value})
    with pytest.raises(ConfigError, match=message):
        run(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("key, value", [("data.num_folds", 9), ("data.num_labelled", 5)])
def test_too_few_clips_of_a_class_are_named(tmp_path, config, key, value):
    config.update_from_flattened_dict({key: value})
    with pytest.raises(DataError, match=r"too few clips of cry \(\d\), horn"):
        run(config, tmp_path / "run")


def test_folds_without_unlabelled_clips_are_refused(tmp_path, config):
    config.data.num_labelled = 4
    with pytest.raises(DataError, match="leave a fold without unlabelled"):
        run(config, tmp_path / "run")
