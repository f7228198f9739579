import csv
import importlib
import re
import time

import numpy as np
import pytest

from configs.ensembles import ensemble_of, own, study_of
from experiments import ensemble as ensembles
from experiments.data import DataError
from experiments.ensemble import run_ensemble, whole_config
from experiments.errors import ConfigError, MissingWeights
from experiments.experiment import run
from scoring.costs import read_costs
from scoring.metrics import evaluate
from scoring.rows import read_scores


def table(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def longer(config):
    config.train.num_epochs = 3
    return config


@pytest.fixture
def side_by_side(tiny):
    """A study of two small densities, which differ in their number of epochs."""

    def get(make=study_of, **members):
        config = make(**(members or {"one": tiny(), "two": longer(tiny())}))
        config.data = tiny().data
        return config

    return get


def go(config, workdir):
    return run_ensemble(config, workdir, time.monotonic())


@pytest.fixture
def without_weights(monkeypatch):
    """Members with a number of epochs that is added to it cannot be run, for want of weights."""
    epochs = set()

    def run_unless(config, workdir, started):
        if config.train.num_epochs in epochs:
            raise MissingWeights("weights.npz is missing: download it")
        return run(config, workdir, started)

    monkeypatch.setattr(ensembles, "run", run_unless)
    return epochs


def test_members_stand_side_by_side_and_nothing_is_joined(tmp_path, clips, side_by_side, capsys):
    report = go(side_by_side(), tmp_path / "runs" / "study")
    folder = report.parent
    results = {
        name: evaluate(read_scores(folder / "members" / name / "scores.csv"))
        for name in ("one", "two")
    }
    found = table(folder / "comparison.csv")
    assert {row["system"] for row in found} == {"one", "two"}
    for row in found:
        for result in results[row["system"]]:
            if (row["machine"], row["id"]) == (result.machine, result.id):
                assert float(row["auc"]) == result.auc
    names = {path.name for path in folder.iterdir()}
    assert names == {
        *("config.json", "members", "comparison.csv", "study.csv", "report.html", "figures")
    }
    page = report.read_text()
    assert "roc_pump_id_00.svg" in {path.name for path in (folder / "figures").iterdir()}
    assert "nsemble" not in page.split("Configuration")[0]
    said = capsys.readouterr().out
    assert "parameters" in said.splitlines()[-3] and said.splitlines()[-2].startswith("one")


def test_costs_of_members_are_in_the_table(tmp_path, clips, side_by_side):
    folder = go(side_by_side(), tmp_path / "runs" / "study").parent
    lines = {(row["system"], row["machine"]): row for row in table(folder / "study.csv")}
    assert len(lines) == 2 * 2
    for name in ("one", "two"):
        (cost,) = read_costs(folder / "members" / name / "costs.csv")
        for machine in ("pump", "average"):
            assert float(lines[name, machine]["fit_seconds"]) == cost.fit_seconds
            assert int(lines[name, machine]["parameters"]) == cost.parameters > 0
            assert float(lines[name, machine]["hours_scored"]) == pytest.approx(cost.hours_scored)


def test_methods_of_other_windows_are_judged_on_the_same_clips_and_hours(
    tmp_path, clips, side_by_side, tiny
):
    config = side_by_side(density=tiny(), whole=tiny("fc_vae"))
    folder = go(config, tmp_path / "runs" / "study").parent
    found = {row["system"]: row for row in table(folder / "study.csv")}
    assert found["density"]["hours_scored"] == found["whole"]["hours_scored"] != ""
    assert found["density"]["parameters"] != found["whole"]["parameters"]
    assert all(row["auc"] and row["fit_seconds"] for row in found.values())


def test_a_finished_run_brings_its_costs_and_anybodys_scores_none(
    tmp_path, clips, side_by_side, tiny, capsys
):
    config = side_by_side()
    alone = tmp_path / "runs" / "alone"
    run(whole_config(config.members.one, config), alone, time.monotonic())
    theirs = tmp_path / "theirs.csv"
    # Only their test clips: nothing is standardised, so train clips are not needed.
    lines = (alone / "scores.csv").read_text().splitlines(keepends=True)
    theirs.write_text("".join([lines[0], *(line for line in lines if ",test," in line)]))
    config.scores = f"theirs={theirs}"
    folder = go(config, tmp_path / "runs" / "study").parent
    assert f"one: found in {alone}" in capsys.readouterr().out
    found = {row["system"]: row for row in table(folder / "study.csv")}
    (cost,) = read_costs(alone / "costs.csv")
    assert float(found["one"]["fit_seconds"]) == cost.fit_seconds
    costs = ("parameters", "fit_seconds", "score_seconds", "hours_scored", "score_seconds_per_hour")
    assert {found["theirs"][key] for key in costs} == {""}
    assert found["theirs"]["auc"] == found["one"]["auc"]


def test_a_run_without_costs_is_taken_all_the_same(tmp_path, clips, side_by_side):
    config = side_by_side()
    alone = tmp_path / "runs" / "alone"
    run(whole_config(config.members.one, config), alone, time.monotonic())
    (alone / "costs.csv").unlink()
    folder = go(config, tmp_path / "runs" / "study").parent
    found = {row["system"]: row for row in table(folder / "study.csv")}
    assert found["one"]["fit_seconds"] == "" and found["two"]["fit_seconds"] != ""


def test_variants_are_members_of_a_study(tmp_path, clips, side_by_side, tiny):
    config = side_by_side(twice={"short": tiny(), "long": longer(tiny())})
    folder = go(config, tmp_path / "runs" / "study").parent
    assert {row["system"] for row in table(folder / "study.csv")} == {"twice_short", "twice_long"}


def test_a_member_without_its_weights_is_left_out_and_named(
    tmp_path, clips, side_by_side, without_weights, capsys
):
    without_weights.add(3)
    report = go(side_by_side(), tmp_path / "runs" / "study")
    why = "weights.npz is missing: download it"
    assert [line for line in capsys.readouterr().out.splitlines() if why in line] == [
        f"two is left out: {why}"
    ]
    cells = re.findall(r'<td class="text name">(.*?)</td>', report.read_text())
    assert cells == ["two", why]
    assert {row["system"] for row in table(report.parent / "study.csv")} == {"one"}


def test_with_its_weights_it_is_taken_in_by_the_same_command(
    tmp_path, clips, side_by_side, without_weights, capsys
):
    without_weights.add(3)
    go(side_by_side(), tmp_path / "runs" / "study")
    without_weights.clear()
    report = go(side_by_side(), tmp_path / "runs" / "study")
    assert "one: found in" in capsys.readouterr().out
    assert {row["system"] for row in table(report.parent / "study.csv")} == {"one", "two"}
    assert "eft out" not in report.read_text()


def test_an_ensemble_stops_without_them_unless_it_is_told_to_go_on(
    tmp_path, clips, side_by_side, without_weights
):
    without_weights.add(3)
    config = side_by_side(ensemble_of)
    with pytest.raises(MissingWeights, match=r"weights\.npz is missing"):
        go(config, tmp_path / "runs" / "stops")
    config.on_missing = "skip"
    report = go(config, tmp_path / "runs" / "goes_on")
    assert "two is left out: weights.npz is missing" in report.read_text()
    systems = {row["system"] for row in table(report.parent / "comparison.csv")}
    assert systems == {"one", "ensemble_mean", "ensemble_max"}


def test_a_study_can_be_told_to_stop_too(tmp_path, clips, side_by_side, without_weights):
    without_weights.add(3)
    config = side_by_side()
    config.on_missing = "error"
    with pytest.raises(MissingWeights):
        go(config, tmp_path / "runs" / "study")


def test_any_other_error_still_stops(tmp_path, clips, side_by_side):
    config = side_by_side()
    config.members.two.train.num_epochs = 0
    with pytest.raises(ConfigError, match=r"train\.num_epochs"):
        go(config, tmp_path / "runs" / "study")
    np.save(clips / "pump" / "train" / "normal_id_00_00000000.npy", np.zeros((2, 128), np.float32))
    with pytest.raises(DataError):
        go(side_by_side(), tmp_path / "runs" / "other")


def test_when_all_are_left_out_there_is_nothing_to_report(
    tmp_path, clips, side_by_side, without_weights
):
    without_weights |= {2, 3}
    with pytest.raises(ConfigError, match=r"no member is left: one: weights.*; two: weights"):
        go(side_by_side(), tmp_path / "runs" / "study")


def test_a_wrong_word_gets_one_line(tmp_path, side_by_side):
    config = side_by_side()
    config.on_missing = "ignore"
    with pytest.raises(ConfigError, match=r"on_missing='ignore' is not known: use error, skip"):
        go(config, tmp_path / "run")


def test_the_study_runs_from_clips_to_a_page(tmp_path, clips, tiny):
    """With some of its members; that each of them runs is tested by itself."""
    config = tiny("study")
    assert (config.combine, config.on_missing) == ("none", "skip")
    for name in set(config.members) - {"gmade_idnn", "idnn", "fc_vae", "panns", "vggish"}:
        del config.members[name]
    report = go(config, tmp_path / "runs" / "study")
    averages = {
        row["system"]: float(row["auc"])
        for row in table(report.parent / "study.csv")
        if row["machine"] == "average"
    }
    assert set(averages) == set(config.members) - {"panns", "vggish"}
    assert averages["gmade_idnn"] > 0.9
    assert "cnn14 hears sound" in report.read_text()


def test_the_study_compares_the_methods_as_their_configs_have_them():
    members = importlib.import_module("configs.study").get_config().members
    assert len(members) > 10
    for name in members:
        assert members[name] == own(importlib.import_module(f"configs.{name}").get_config())
