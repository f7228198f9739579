import csv
import time

import numpy as np
import pytest

from experiments import choose as choosing
from experiments.choose import grid_of
from experiments.errors import ConfigError
from experiments.experiment import run
from experiments.overrides import describe, override


def with_choice(tiny, grid, num_folds=3):
    config = tiny("conv_vae")
    config.model.network, config.model.hidden = "dense", (16,)
    config.train.num_epochs, config.train.batch_size = 2, 8
    config.train.checkpoint_every_steps = 1000
    config.choose.num_folds, config.choose.num_epochs, config.choose.grid = num_folds, 1, grid
    return config


def lines(workdir):
    text = (workdir / "pump" / "cross_validation.csv").read_text()
    return list(csv.DictReader(text.splitlines()))


def test_the_point_with_the_lowest_held_out_score_is_trained(tmp_path, clips, tiny, capsys):
    # A model that is thrown about errs more than one that learns.
    grid = (("train.learning_rate", (1.0, 1e-3)), ("model.latent", (2,)))
    workdir = tmp_path / "run"
    report = run(with_choice(tiny, grid), workdir, time.monotonic())
    table = lines(workdir)
    assert list(table[0]) == [
        *("train.learning_rate", "model.latent", "fold_0", "fold_1", "fold_2", "mean")
    ]
    means = [float(line["mean"]) for line in table]
    assert means[1] < means[0]
    folds = [float(table[1][f"fold_{fold}"]) for fold in range(3)]
    assert len(set(folds)) == 3 and means[1] == pytest.approx(np.mean(folds))
    said = "pump: 3 folds of its train clips chose learning_rate 0.001, latent 2"
    assert said in capsys.readouterr().out and said in report.read_text()
    rates = (workdir / "pump" / "metrics.jsonl").read_text()
    assert '"learning_rate": 0.001' in rates


def test_a_fold_is_judged_by_a_model_that_has_not_heard_it(tmp_path, clips, tiny, monkeypatch):
    heard = {}
    train = choosing.train

    def spied(members):
        for member in members:
            heard[member.name] = len(member.batches.windows)
        return train(members)

    monkeypatch.setattr(choosing, "train", spied)
    run(with_choice(tiny, (("model.latent", (2,)),)), tmp_path / "run", time.monotonic())
    assert list(heard) == [f"pump, fold {fold}/3, latent 2" for fold in (1, 2, 3)]
    assert set(heard.values()) == {8}  # twelve train clips less four


def test_a_choice_that_was_stopped_goes_on(tmp_path, clips, tiny, monkeypatch):
    config = with_choice(tiny, (("model.latent", (2, 3)),))
    run(config, tmp_path / "whole", time.monotonic())
    train, runs = choosing.train, []

    def stopped(members):
        if len(runs) == 3:
            raise KeyboardInterrupt
        runs.append(members)
        return train(members)

    monkeypatch.setattr(choosing, "train", stopped)
    with pytest.raises(KeyboardInterrupt):
        run(config, tmp_path / "stopped", time.monotonic())
    monkeypatch.undo()
    run(config, tmp_path / "stopped", time.monotonic())
    assert lines(tmp_path / "stopped") == lines(tmp_path / "whole")
    assert (tmp_path / "stopped" / "scores.csv").read_bytes() == (
        tmp_path / "whole" / "scores.csv"
    ).read_bytes()


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("num_folds", 1, "choose.num_folds must be 2 or more"),
        ("num_epochs", 0, "choose.num_epochs 1 or more"),
        ("grid", (), "choose.grid has no points"),
        ("grid", (("model.latent", ()),), "choose.grid has no points"),
        ("grid", (("model.width", (3,)),), "the config has no model.width"),
        ("grid", (("model.latent", ("wide",)),), "model.latent='wide'"),
        ("grid", (("model.latent", (0,)),), "model.latent 1 or more"),
    ],
)
def test_a_grid_that_cannot_be_had_is_named(tiny, key, value, said):
    config = with_choice(tiny, (("model.latent", (2,)),))
    config.choose[key] = value
    with pytest.raises(ConfigError, match=said):
        grid_of(config)


def test_an_override_leaves_the_config_as_it_was(tiny):
    config = tiny("autoencoder")
    other = override(config, {"model.latent": 3, "train.learning_rate": 0.5})
    assert (other.model.latent, other.train.learning_rate) == (3, 0.5)
    assert config.model.latent == 8
    assert describe({"model.latent": 3, "seed": 1}) == "latent 3, seed 1"
