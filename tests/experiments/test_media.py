"""Media detection, from streams to results.csv and the report."""

import csv
import json
import re
import time

import numpy as np
import pytest
import soundfile

from audio.clips import DataError
from audio.media_scenes import media_shares, read_annotations
from configs import media
from experiments import track
from experiments import workdir as work
from experiments.errors import ConfigError
from experiments.media import run
from scoring.eer import equal_error_rate

RATE = 8000


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """Streams are made once for all tests."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def config(cache):
    config = media.get_config()
    config.data.cache_dir = str(cache)
    config.scenes.num_train, config.scenes.num_test, config.scenes.num_voices = 16, 3, 4
    config.scenes.stream_seconds = 4.5
    config.scenes.shortest_seconds, config.scenes.longest_seconds = 1.5, 3.0
    config.logmel.sample_rate, config.logmel.frame_length = RATE, 256
    config.logmel.num_mels = 16
    config.window.snippet_seconds = 1.0
    config.model.channels, config.model.conv_features = (2,), 4
    config.model.features, config.model.strides = (4, 4), (4,)
    config.model.context_features, config.model.dropout_rate = 4, 0.0
    config.train.num_epochs, config.train.log_every_steps = 2, 1
    config.train.checkpoint_every_steps = 2
    return config


@pytest.fixture
def recordings(tmp_path):
    """People hiss, and loudspeakers whistle."""
    rng = np.random.default_rng(0)
    for number in range(3):
        samples = np.arange(3 * RATE)
        whistle = 0.2 * np.sin(2 * np.pi * (900 + 100 * number) * samples / RATE)
        hiss = 0.05 * rng.standard_normal(len(samples))
        for kind, signal in (("live", hiss), ("media", whistle)):
            (tmp_path / "own" / kind).mkdir(parents=True, exist_ok=True)
            soundfile.write(tmp_path / "own" / kind / f"{number}.wav", signal, RATE)
    return tmp_path / "own"


def rows_of(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def test_from_streams_to_the_report(tmp_path, config, cache, capsys):
    workdir = tmp_path / "run"
    assert run(config, workdir, time.monotonic()) == workdir / "report.html"
    snippets = rows_of(workdir / "snippets.csv")
    # Half a snippet is left over at the end of each stream.
    assert [(each["onset"], each["offset"]) for each in snippets[:4]] == [
        (f"{onset}.0", f"{onset + 1}.0") for onset in range(4)
    ]
    assert len(snippets) == 3 * 4
    (table,) = cache.glob("media_scenes-*/annotations.csv")
    passages = read_annotations(table)
    for first in range(0, 12, 4):
        shares = media_shares(passages["test", snippets[first]["stream"]], 4, 1.0)
        said = [float(each["media_share"]) for each in snippets[first : first + 4]]
        np.testing.assert_allclose(said, shares)
    labels = np.array([int(each["label"]) for each in snippets])
    scores = np.array([float(each["score"]) for each in snippets])
    assert ((scores > 0) & (scores < 1)).all()
    results = rows_of(workdir / "results.csv")
    assert [each["class"] for each in results] == ["media", "average"]
    assert float(results[-1]["eer"]) == pytest.approx(equal_error_rate(labels, scores))
    metrics = (workdir / "media" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in metrics] == [1, 2, 3, 4]
    assert json.loads((workdir / "config.json").read_text())["model"]["context"] == "middle"
    page = (workdir / "report.html").read_text()
    assert "Equal error rate" in page and "data:audio/flac;base64," in page
    assert page.count('class="clip playable"') in (1, 2)
    assert not re.search(r"(src|href)=\"(?!data:|#)", page)
    assert "EER %" in capsys.readouterr().out


def test_ones_own_recordings_are_told_apart(tmp_path, config, recordings):
    config.data.root, config.data.cache_dir = str(recordings), str(tmp_path / "cache")
    config.model.context = "none"
    config.train.num_epochs, config.train.learning_rate = 30, 0.02
    config.train.checkpoint_every_steps = 60
    run(config, tmp_path / "run", time.monotonic())
    assert float(rows_of(tmp_path / "run" / "results.csv")[-1]["eer"]) < 0.25


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(tmp_path, config, monkeypatch):
    config.model.context, config.model.dropout_rate = "top", 0.3
    config.train.num_epochs = 3
    run(config, tmp_path / "whole", time.monotonic())
    save = track.Track.save

    def stopped_at_the_second(self, step, state):
        if step == 4:
            raise KeyboardInterrupt
        save(self, step, state)

    monkeypatch.setattr(track.Track, "save", stopped_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        run(config, tmp_path / "stopped", time.monotonic())
    monkeypatch.undo()
    run(config, tmp_path / "stopped", time.monotonic())
    for name in ("snippets.csv", "results.csv", "media/metrics.jsonl"):
        assert (tmp_path / "stopped" / name).read_text() == (tmp_path / "whole" / name).read_text()


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("model.context", "bottom", "use none, top, middle"),
        ("model.direction", "backwards", "use forward, both"),
        ("model.strides", (4, 4), "one fewer than the layers"),
        ("model.strides", (16,), "do not fit: a layer with 10 outputs a snippet cannot be read"),
        ("model.strides", (0,), "model.strides"),
        ("model.features", (4,), "model.features"),
        ("model.channels", (), "model.channels"),
        ("model.time_stride", 0, "model.time_stride"),
        ("model.dropout_rate", 1.0, "model.dropout_rate"),
        ("window.snippet_seconds", 0.99, "window.snippet_seconds"),
        ("window.snippet_seconds", 5.0, "must hold a snippet"),
        ("window.snippet_seconds", 0.0, "must hold a snippet"),
        ("data.source", "synthetic", "use media_scenes"),
        ("train.batch_size", 12, "train.batch_size=12 must be a multiple"),
    ],
)
def test_what_cannot_be_run_is_said_before_training(tmp_path, config, key, value, message):
    with config.ignore_type():
        config.update_from_flattened_dict({key: value})
    with pytest.raises(ConfigError, match=re.escape(message)) as error:
        run(config, tmp_path / "run", time.monotonic())
    assert "\n" not in str(error.value)
    assert not (tmp_path / "run").exists()


def test_recordings_that_are_missing_are_said_before_training(tmp_path, config):
    config.data.root = str(tmp_path / "nowhere")
    with pytest.raises(DataError, match="live is not there"):
        run(config, tmp_path / "run", time.monotonic())


def test_another_config_needs_another_directory(tmp_path, config):
    work.claim(tmp_path / "run", config)
    config.model.context = "none"
    with pytest.raises(ConfigError, match=r"model\.context"):
        run(config, tmp_path / "run", time.monotonic())
