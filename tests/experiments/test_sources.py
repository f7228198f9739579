import time
from pathlib import Path

import pytest

from audio.clips import DataError
from experiments.errors import ConfigError
from experiments.experiment import run
from experiments.sources import asked_machines, cache_dir, open_source
from scoring.rows import read_scores
from tests.audio import dcase2020_zips


@pytest.fixture
def dcase(tmp_path, tiny):
    """A config on small archives of the true names and layout."""
    zips = tmp_path / "zips"
    zips.mkdir()
    for part, clips in (
        ("dev_data", dcase2020_zips.DEVELOPMENT),
        ("eval_data_train", dcase2020_zips.ADDITIONAL),
        ("eval_data_test", dcase2020_zips.EVALUATION),
    ):
        dcase2020_zips.write_zip(zips, f"{part}_fan.zip", "fan", clips)
    config = tiny(root=zips)
    config.data.source = "dcase2020"
    config.data.machines = "fan"
    return config


def test_dcase_2020_goes_from_zips_to_a_report(tmp_path, dcase):
    report = run(dcase, tmp_path / "run", time.monotonic())
    names = {row.name for row in read_scores(tmp_path / "run" / "scores.csv")}
    assert names == {Path(name).name for name in dcase2020_zips.DEVELOPMENT}
    assert report.read_text().count("data:audio/wav") == 3


def test_evaluation_clips_are_scored_and_not_judged(tmp_path, dcase):
    dcase.data.parts = ("development", "additional", "evaluation")
    run(dcase, tmp_path / "run", time.monotonic())
    rows = read_scores(tmp_path / "run" / "scores.csv")
    assert sum(row.label is None for row in rows) == 2
    results = (tmp_path / "run" / "results.csv").read_text().splitlines()
    assert "fan,01,," in results


def test_evaluation_ids_need_their_training_clips(tmp_path, dcase):
    dcase.data.parts = ("development", "evaluation")
    with pytest.raises(DataError, match="no usable train clips of id 01"):
        run(dcase, tmp_path / "run", time.monotonic())


def test_a_missing_archive_is_named(tmp_path, dcase):
    dcase.data.machines = "pump"
    with pytest.raises(DataError, match=r"dev_data_pump\.zip"):
        run(dcase, tmp_path / "run", time.monotonic())


def test_the_hall_is_built_once_and_kept(tmp_path, tiny):
    config = tiny()
    config.data.source, config.data.root = "synthetic", None
    config.data.machines = "valve"
    config.hall.update(num_ids=1, num_train=2, num_normal=1, num_anomaly=1, seconds=1.0)
    first = open_source(config).clips
    assert len(first) == 4 and {clip.machine for clip in first} == {"valve"}
    times = [clip.path.stat().st_mtime_ns for clip in first]
    again = open_source(config).clips
    assert [clip.path.stat().st_mtime_ns for clip in again] == times


def test_another_hall_lies_beside_it(tmp_path, tiny):
    config = tiny()
    config.data.source, config.data.root = "synthetic", None
    config.hall.update(num_ids=1, num_train=2, num_normal=1, num_anomaly=1, seconds=1.0)
    first = open_source(config).clips[0].path
    config.hall.seed = 1
    assert open_source(config).clips[0].path.read_bytes() != first.read_bytes()


def test_a_folder_needs_a_root(tiny):
    config = tiny()
    config.data.root = None
    with pytest.raises(ConfigError, match=r"--config\.data\.root=DIR"):
        open_source(config)


@pytest.mark.parametrize("given", ["fan,pump", ("fan", "pump"), ["fan", "pump"]])
def test_machines_are_named_with_commas_or_as_a_tuple(tiny, given):
    config = tiny()
    config.data.machines = given
    assert asked_machines(config.data) == ("fan", "pump")


def test_the_cache_goes_where_it_is_told(tiny, monkeypatch):
    config = tiny()
    config.data.cache_dir = None
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache_dir(config.data) == Path("/somewhere/gmade")


@pytest.mark.parametrize(
    ("source", "example"), [("rare_events", "rcrnn"), ("media_scenes", "media")]
)
def test_a_source_that_needs_another_config_says_which(tiny, source, example):
    config = tiny()
    config.data.source = source
    with pytest.raises(ConfigError, match=f"such as configs/{example}.py"):
        open_source(config)
