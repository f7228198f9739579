import csv
import json
import time

import pytest

from configs.ensembles import ensemble_of
from experiments.ensemble import run_ensemble, whole_config
from experiments.errors import ConfigError
from experiments.experiment import run
from scoring.members import EnsembleError
from scoring.rows import read_scores


def table(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def with_seed(config, seed):
    config.train.num_epochs = seed + 1
    return config


@pytest.fixture
def joint(tiny):
    """An ensemble of two small densities, which differ in their number of epochs."""

    def get(**members):
        config = ensemble_of(**(members or {"one": tiny(), "two": with_seed(tiny(), 2)}))
        config.data = tiny().data
        return config

    return get


def go(config, workdir):
    return run_ensemble(config, workdir, time.monotonic())


def test_members_are_trained_joined_and_compared(tmp_path, clips, joint):
    report = go(joint(), tmp_path / "runs" / "both")
    folder = report.parent
    for name in ("one", "two"):
        assert (folder / "members" / name / "results.csv").exists()
        assert name in report.read_text()
    systems = {row["system"] for row in table(folder / "comparison.csv")}
    assert systems == {"one", "two", "ensemble_mean", "ensemble_max"}
    means = {
        row.name: row.score for row in read_scores(folder / "scores.csv") if row.split == "test"
    }
    assert len(means) == 2 * (4 + 4)
    assert float(table(folder / "results.csv")[-1]["auc"]) > 0.9
    assert table(folder / "agreement.csv")


def test_finished_members_are_found_again(tmp_path, clips, joint, tiny, capsys):
    config = joint()
    alone = whole_config(config.members.one, config)
    run(alone, tmp_path / "runs" / "alone", time.monotonic())
    go(config, tmp_path / "runs" / "both")
    assert f"one: found in {tmp_path / 'runs' / 'alone'}" in capsys.readouterr().out
    go(config, tmp_path / "runs" / "both")
    assert f"two: found in {tmp_path / 'runs' / 'both' / 'members'}" in capsys.readouterr().out


def test_variants_speak_with_one_voice(tmp_path, clips, joint, tiny):
    members = {"twice": {"short": tiny(), "long": with_seed(tiny(), 2)}}
    report = go(joint(**members), tmp_path / "run")
    systems = {row["system"] for row in table(report.parent / "comparison.csv")}
    assert systems == {"twice", "ensemble_mean", "ensemble_max"}
    assert (report.parent / "members" / "twice" / "short" / "scores.csv").exists()


def test_anybodys_scores_can_be_a_member(tmp_path, clips, joint, tiny):
    run(tiny(), tmp_path / "theirs", time.monotonic())
    config = joint(ours=with_seed(tiny(), 2))
    config.scores = f"theirs={tmp_path / 'theirs' / 'scores.csv'}"
    report = go(config, tmp_path / "run")
    assert "theirs" in {row["system"] for row in table(report.parent / "comparison.csv")}


def test_members_that_disagree_about_clips_are_named(tmp_path, clips, joint, tiny):
    run(tiny(), tmp_path / "theirs", time.monotonic())
    path = tmp_path / "theirs" / "scores.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    config = joint(ours=with_seed(tiny(), 2))
    config.scores = f"theirs={path}"
    with pytest.raises(EnsembleError, match="theirs") as error:
        go(config, tmp_path / "run")
    assert "\n" not in str(error.value)


def test_what_is_shared_is_said_once(joint):
    config = joint()
    config.seed = 7
    assert "data" not in config.members.one and "seed" not in config.members.one
    whole = whole_config(config.members.one, config)
    assert whole.seed == 7 and whole.data == config.data
    assert json.dumps(whole.to_dict())


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [("combine", "sum", "combine='sum'"), ("scores", "file.csv", r"NAME=FILE\.csv")],
)
def test_a_wrong_setting_gets_one_line(tmp_path, joint, key, value, said):
    config = joint()
    config[key] = value
    with pytest.raises(ConfigError, match=said):
        go(config, tmp_path / "run")


def test_an_ensemble_needs_members(tmp_path):
    with pytest.raises(ConfigError, match="needs members"):
        go(ensemble_of(), tmp_path / "run")
