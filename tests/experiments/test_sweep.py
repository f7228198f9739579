import csv
import time
from pathlib import Path

import pytest

from experiments import launch
from experiments.errors import ConfigError
from experiments.experiment import run
from experiments.launch import conclude, describe, run_here, unfinished
from experiments.points import load_sweep, points
from experiments.workdir import claim
from scoring.rows import read_scores

SEEDS = ({"seed": 0}, {"seed": 1})


def mixtures(*counts):
    return [{"model.num_components": count, **seed} for seed in SEEDS for count in counts]


def lines(workdir):
    return list(csv.DictReader((workdir / "sweep.csv").read_text().splitlines()))


def test_a_point_is_the_config_with_its_overrides(tiny):
    config = tiny()
    (point,) = points(config, [{"model.ordering": (0, 0, 1, 0, 0), "train.num_epochs": 7}])
    assert point.config.model.ordering == (0, 0, 1, 0, 0) and point.config.train.num_epochs == 7
    assert point.name == "ordering (0, 0, 1, 0, 0), num_epochs 7"
    assert config.train.num_epochs == 2 and config.model.ordering == "middle_last"


def test_points_of_one_name_differ_in_their_seed_and_lie_apart(tiny):
    every = points(tiny(), [{"name": "C = 1 / causal", **seed} for seed in SEEDS])
    assert [point.name for point in every] == ["C = 1 / causal"] * 2
    assert [str(point.folder) for point in every] == [
        "points/c_1_causal_seed_0",
        "points/c_1_causal_seed_1",
    ]
    assert str(every[1]) == "C = 1 / causal, seed 1"


@pytest.mark.parametrize(
    "overrides, message",
    [
        ([{"model.num_component": 2}], "the config has no model.num_component"),
        ([{"train.num_epochs": "many"}], "train.num_epochs='many'"),
        ([{"model.ordering": "sideways"}], "sideways"),
        ([{"seed": 0}, {"seed": 0}], "two points 'as configured, seed 0'"),
        ([], "no points"),
    ],
)
def test_what_is_wrong_with_a_sweep_is_said_before_anything_runs(tiny, overrides, message):
    with pytest.raises(ConfigError, match=message):
        points(tiny(), overrides)


def test_a_config_without_a_sweep_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"gmade_idnn\.py defines no sweep"):
        load_sweep(Path("configs/gmade_idnn.py"))
    path = tmp_path / "mine.py"
    path.write_text("def sweep():\n    yield {'seed': 3}\n")
    assert load_sweep(path) == [{"seed": 3}]


def test_a_sweep_leaves_a_table_and_a_figure_of_all_its_points(tmp_path, clips, tiny, capsys):
    every, workdir = points(tiny(), mixtures(1, 2)), tmp_path / "sweep"
    run_here(every, workdir, time.monotonic())
    conclude(every, workdir)
    names = ["num_components 1", "num_components 2"]
    overall = [line for line in lines(workdir) if line["machine"] == line["id"] == "average"]
    assert [(line["name"], line["num_seeds"]) for line in overall] == [
        (name, "2") for name in names
    ]
    assert all(float(line["auc"]) > 0.9 and line["auc_sd"] for line in overall)
    assert {line["id"] for line in lines(workdir)} == {"00", "01", "average"}
    assert (workdir / "sweep.png").read_bytes()[:4] == b"\x89PNG"
    assert "num_components 1" in (workdir / "sweep.svg").read_text()
    assert all((workdir / point.folder / "report.html").exists() for point in every)
    said = capsys.readouterr().out
    assert "[4/4] num_components 2, seed 1" in said and "sweep.csv" in said
    assert describe(every, workdir).count("finished") == 4


def test_a_sweep_goes_on_where_it_was_stopped(tmp_path, clips, tiny, monkeypatch, capsys):
    every, workdir = points(tiny(), mixtures(1)), tmp_path / "sweep"
    runs = []

    def stopped_at_the_second(experiments, started):
        if runs:
            raise KeyboardInterrupt
        runs.append(experiments)
        return [run(*each, started) for each in experiments]

    monkeypatch.setattr(launch, "run_all", stopped_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        run_here(every, workdir, time.monotonic())
    assert [line["num_seeds"] for line in lines(workdir)] == ["1"] * 4
    assert unfinished(every, workdir) == every[1:]
    claim(workdir / every[1].folder, every[1].config)
    states = [line.split()[0] for line in describe(every, workdir).splitlines()]
    assert states == ["finished", "begun"]
    monkeypatch.undo()
    before = (workdir / every[0].folder / "report.html").stat().st_mtime_ns
    capsys.readouterr()
    run_here(every, workdir, time.monotonic())
    assert "[2/2] num_components 1, seed 1" in capsys.readouterr().out
    assert (workdir / every[0].folder / "report.html").stat().st_mtime_ns == before
    assert [line["num_seeds"] for line in lines(workdir)] == ["2"] * 4


def test_points_of_one_shape_train_as_one_program_and_come_to_the_same(tmp_path, clips, tiny):
    config = tiny()
    config.train.population = "always"
    overrides = [{"model.max_components": 2, **each} for each in mixtures(1, 2)]
    together, alone = tmp_path / "together", tmp_path / "alone"
    run_here(points(config, overrides), together, time.monotonic())
    config.train.population = "never"
    for point in points(config, overrides[:2]):
        run(point.config, alone / point.folder, time.monotonic())
        ours, theirs = (read_scores(d / point.folder / "scores.csv") for d in (together, alone))
        for one, other in zip(ours, theirs, strict=True):
            assert one.score == pytest.approx(other.score, rel=1e-3)


def test_points_of_one_shape_are_grouped(tiny):
    config = tiny()
    config.train.population = "always"
    every = points(config, [*mixtures(1), {"model.hidden": (8,)}])
    assert [len(group) for group in launch._groups(every)] == [2, 1]
    config.train.population = "never"
    assert [len(group) for group in launch._groups(points(config, mixtures(1)))] == [1, 1]


def test_a_point_that_fails_does_not_keep_the_others_from_running(tmp_path, clips, tiny):
    overrides = [{"train.learning_rate": 1e30, "train.schedule": "constant"}, {"seed": 1}]
    every, workdir = points(tiny(), overrides), tmp_path / "sweep"
    with pytest.raises(ConfigError, match=r"learning_rate 1e\+30.*the loss is"):
        run_here(every, workdir, time.monotonic())
    assert [point.name for point in unfinished(every, workdir)] == [every[0].name]
    assert {line["name"] for line in lines(workdir)} == {"as configured"}


def test_another_config_in_a_points_directory_is_not_overwritten(tmp_path, tiny):
    (point,) = points(tiny(), [{"seed": 1}])
    claim(tmp_path / point.folder, tiny())
    with pytest.raises(ConfigError, match="holds another config"):
        unfinished([point], tmp_path)
