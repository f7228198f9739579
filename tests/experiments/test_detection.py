"""Detectors from mixtures to the page."""

import csv
import time

import jax
import numpy as np
import pytest

from audio.clips import DataError
from configs import attention, detection_baseline, detectors, rcrnn
from experiments import detection, train
from experiments.detection import choose_threshold
from experiments.detection import run as run_detection
from experiments.detector_method import build
from experiments.detectors import run as run_detectors
from experiments.errors import ConfigError
from sed.marks import Mark


def shrink(config, tmp_path):
    config.data.cache_dir = str(tmp_path / "cache")
    config.data.machines = "shatter"
    mixtures = config.mixtures
    mixtures.num_train, mixtures.num_valid, mixtures.num_test = 8, 4, 4
    mixtures.seconds, mixtures.num_sources, mixtures.ratios_db = 6.0, 6, (12.0,)
    for member in config.members.values() if "members" in config else [config]:
        member.logmel.num_mels, member.logmel.hop_length = 16, 1024
        member.train.num_epochs, member.train.batch_size = 2, 8
        member.train.steps_per_call = member.train.checkpoint_every_steps = 1
        if member.model.detector == "rcrnn":
            member.model.channels, member.model.pools = (4, 4), ((1, 2), (2, 2))
            member.model.features = member.model.recurrent = 4
            member.model.lengths = (0.5, 1.0, 2.0)
        elif member.model.detector == "attention":
            member.model.features, member.model.num_halvings = 4, 2
        else:
            member.model.hidden = (4,)
    return config


@pytest.fixture
def small(tmp_path):
    return lambda module: shrink(module.get_config(), tmp_path)


def table(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def test_a_detector_goes_from_mixtures_to_a_page(tmp_path, small, capsys):
    workdir = tmp_path / "run"
    page = run_detection(small(rcrnn), workdir, time.monotonic())
    rows = table(workdir / "results.csv")
    assert list(rows[0]) == ["class", "error_rate", "f1"]
    assert [row["class"] for row in rows] == ["shatter", "average"]
    scores = table(workdir / "scores.csv")
    assert len(scores) == 4 and sum(int(row["label"]) for row in scores) == 2
    counts = table(workdir / "thresholds.csv")[0]
    wrong = int(counts["num_missed"]) + int(counts["num_false"])
    assert float(rows[0]["error_rate"]) == pytest.approx(wrong / int(counts["num_events"]))
    assert float(table(workdir / "costs.csv")[0]["parameters"]) > 100
    for row in table(workdir / "events.csv"):
        assert 0 <= float(row["onset"]) < float(row["offset"])
        assert float(row["score"]) >= float(counts["threshold"])
    text = page.read_text()
    assert text.count("<audio") == 4 and "data:audio/wav" in text and "shatter" in text
    assert "error rate %" in capsys.readouterr().out


def test_a_run_that_was_killed_goes_on_and_marks_the_same(tmp_path, small, monkeypatch):
    config = small(attention)
    run_detection(config, tmp_path / "whole", time.monotonic())
    save = train.Track.save

    def save_and_die(track, step, state):
        save(track, step, state)
        raise KeyboardInterrupt

    monkeypatch.setattr(train.Track, "save", save_and_die)
    with pytest.raises(KeyboardInterrupt):
        run_detection(config, tmp_path / "killed", time.monotonic())
    monkeypatch.undo()
    run_detection(config, tmp_path / "killed", time.monotonic())
    for name in ("scores.csv", "events.csv", "results.csv"):
        assert (tmp_path / "killed" / name).read_text() == (tmp_path / "whole" / name).read_text()


def test_detectors_are_shown_side_by_side(tmp_path, small):
    workdir = tmp_path / "run"
    page = run_detectors(small(detectors), workdir, time.monotonic())
    rows = table(workdir / "results.csv")
    assert {(row["detector"], row["class"]) for row in rows} == {
        (detector, name)
        for detector in ("rcrnn", "attention", "baseline")
        for name in ("shatter", "average")
    }
    assert all(
        (workdir / "members" / name / "events.csv").exists() for name in ("rcrnn", "baseline")
    )
    text = page.read_text()
    assert "3 detectors listened for shatter: 2 events." in text
    assert "rcrnn: " in text and "attention: " in text and "baseline: " in text


def test_ones_own_annotated_clips_are_read(tmp_path, small):
    config = small(detection_baseline)
    run_detection(config, tmp_path / "first", time.monotonic())
    (root,) = (tmp_path / "cache").glob("rare_events-*")
    config.data.root, config.score.threshold = str(root), 0.5
    run_detection(config, tmp_path / "second", time.monotonic())
    assert table(tmp_path / "second" / "thresholds.csv")[0]["threshold"] == "0.5"


def test_clips_of_several_lengths_are_refused(tmp_path, small):
    import soundfile

    config = small(detection_baseline)
    run_detection(config, tmp_path / "first", time.monotonic())
    (root,) = (tmp_path / "cache").glob("rare_events-*")
    path = root / "shatter" / "test_00000.flac"
    signal, rate = soundfile.read(path)
    soundfile.write(path, signal[: 3 * rate], rate)
    config.data.root = str(root)
    with pytest.raises(ConfigError, match=r"clips of shatter have from .* cut them to one length"):
        run_detection(config, tmp_path / "second", time.monotonic())


@pytest.mark.parametrize(
    ("module", "key", "value", "said"),
    [
        (rcrnn, "detector", "yolo", "model.detector='yolo' is not known: use rcrnn, attention"),
        (rcrnn, "pools", ((2, 2),), "model.channels and model.pools must be of one length"),
        (rcrnn, "hit_iou", 0.2, "must be in"),
        (attention, "share", 0.0, "model.share=0.0 must be above 0"),
        (attention, "dropout_rate", 1.0, "model.dropout_rate=1.0 must be in"),
        (attention, "max_band_shift", 64, "model.max_band_shift=64"),
    ],
)
def test_wrong_settings_are_said_in_a_line(module, key, value, said):
    config = module.get_config()
    config.model[key] = value
    with pytest.raises(ConfigError, match=said):
        build(config)


def test_a_wrong_threshold_and_a_wrong_folder_are_said(tmp_path, small):
    config = small(attention)
    config.score.threshold = 1.5
    with pytest.raises(ConfigError, match=r"score\.threshold=1\.5 must be between 0 and 1"):
        run_detection(config, tmp_path / "run", time.monotonic())
    config.score.threshold, config.data.root = 0.5, str(tmp_path / "nowhere")
    with pytest.raises(DataError, match="has no folder of recordings"):
        run_detection(config, tmp_path / "run", time.monotonic())


def test_a_source_without_events_is_refused(tmp_path, small):
    config = small(attention)
    config.data.source = "folder"
    with pytest.raises(ConfigError, match=r"data\.source='folder' does not say where events are"):
        run_detection(config, tmp_path / "run", time.monotonic())


class Named:
    """A detector that marks what its looks hold, over a threshold."""

    @staticmethod
    def mark(looks, threshold):
        return [Mark(1.0, 2.0, looks["score"])] if looks["score"] >= threshold else []


def test_the_threshold_is_where_valid_clips_have_the_fewest_errors():
    truth = {"a": (1.0, 2.0), "b": None, "c": (1.0, 2.0), "d": None}
    looks = {n: {"score": s} for n, s in zip(truth, (0.9, 0.42, 0.68, 0.1), strict=True)}
    assert 0.42 < choose_threshold(Named, looks, truth, 0.5) <= 0.68
    assert choose_threshold(Named, looks, truth, 0.5) == pytest.approx(0.55)


def test_truth_of_a_batch_is_that_of_its_clips(tmp_path, small):
    config = small(attention)
    data = detection.load_data(config)
    member = detection._member(data.machines[0], config, tmp_path, build(config), data)
    truth = member.batches.labels(np.arange(8))["truth"]
    assert truth.shape == (8, 2) and (truth[:, 1] > truth[:, 0]).sum() == 4
    split = detection.part_of(data.machines[0].train, data.machines[0], data, "train")
    for clip, row in zip(split.mine.clips, truth, strict=True):
        span = detection.span_of(data, data.machines[0], clip.name) or (-1, -1)
        np.testing.assert_allclose(row, span, rtol=1e-6)


def test_a_clip_is_heard_as_what_differs_from_its_own_mean():
    detector = build(attention.get_config())
    x = jax.random.normal(jax.random.key(0), (2, 40, 64))
    batch = {"x": x, "mean": np.zeros(64, np.float32), "std": np.ones(64, np.float32)}
    variables = detector.method.init(jax.random.key(1), batch)
    louder = detector.method.score(variables, {"x": x + 7.0})
    np.testing.assert_allclose(louder, detector.method.score(variables, {"x": x}), rtol=1e-3)
