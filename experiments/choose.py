"""Settings chosen by cross-validation on train clips, all of them normal: no label has a part.

For every point of a grid, and for each fold of the clips, a model is trained on those outside it,
and scores those within. The point is chosen whose held-out clips score lowest on average: of
densities the likeliest, of autoencoders the one that errs least.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from experiments.costs import Stopwatch
from experiments.data import Machine
from experiments.errors import ConfigError
from experiments.judge import fit_split, score_split
from experiments.members import member_of
from experiments.methods import build
from experiments.overrides import describe, override
from experiments.population import populations
from experiments.processes import is_main
from experiments.track import Member
from experiments.train import train
from scoring.tables import write_csv


def choose(machine: Machine, config: Any, workdir: Path) -> tuple[Member, str]:
    """A machine's model with the best of a grid's settings, to be trained; and a sentence on them.

    Leaves `<machine>/cross_validation.csv`, a line a point: its settings, the mean score of
    held-out clips in each fold, and the mean over folds. The models of folds are kept in
    `<machine>/folds`, so that a stopped choice goes on.

    Args:
        machine: its train clips are used, its test clips are not.
        config: `choose` holds `num_folds`, the `num_epochs` of their models, and `grid`, of
            `(key, values)`.
        workdir: of the experiment.

    Raises:
        ConfigError: a grid or folds that cannot be had.
    """
    grid, num_folds = grid_of(config), min(config.choose.num_folds, len(machine.train.clips))
    folds = [_fold(machine, fold, num_folds, grid, config, workdir) for fold in range(num_folds)]
    scores = np.array(folds).T
    best = grid[int(scores.mean(1).argmin())]
    said = f"{machine.name}: {num_folds} folds of its train clips chose {describe(best)}"
    if is_main():
        header = [*best, *(f"fold_{fold}" for fold in range(num_folds)), "mean"]
        lines = [(*p.values(), *s, s.mean()) for p, s in zip(grid, scores, strict=True)]
        write_csv(workdir / machine.name / "cross_validation.csv", header, lines)
        print(said, flush=True)
    return member_of(machine, override(config, best), workdir), said


def grid_of(config: Any) -> list[dict[str, Any]]:
    """The points among which a config chooses, by dotted key; none where it chooses nothing.

    Raises:
        ConfigError: fewer than two folds, no points, or values that the config does not take.
    """
    if "choose" not in config:
        return []
    if config.choose.num_folds < 2 or config.choose.num_epochs < 1:
        raise ConfigError("choose.num_folds must be 2 or more, and choose.num_epochs 1 or more")
    keys = [key for key, _ in config.choose.grid]
    points = list(product(*(values for _, values in config.choose.grid)))
    if not keys or not points:
        raise ConfigError("choose.grid has no points")
    grid = [dict(zip(keys, point, strict=True)) for point in points]
    for values in grid:
        build(override(config, values), 2)
    return grid


def _fold(
    machine: Machine,
    fold: int,
    num_folds: int,
    grid: Sequence[Mapping[str, Any]],
    config: Any,
    workdir: Path,
) -> list[float]:
    """The mean score of one fold's clips at every point, of models that have not heard them."""
    held = machine.train.positions % num_folds == fold
    rest = replace(machine, train=machine.train.part(~held))
    members = []
    for point, values in enumerate(grid):
        name = f"{machine.name}, fold {fold + 1}/{num_folds}, {describe(values)}"
        short = override(config, {**values, "train.num_epochs": config.choose.num_epochs})
        folder = workdir / machine.name / "folds" / f"{fold}_{point}"
        members.append(replace(member_of(rest, short, workdir), name=name, workdir=folder))
    scores = {}
    for together in populations(members, config.train.population):
        for member, variables in zip(together, train(together), strict=True):
            method, settings = member.method, member.config
            fitted = fit_split(method, variables, rest.train, settings, member.name)
            part, clock = machine.train.part(held), Stopwatch()
            rows = score_split(method, fitted, part, settings, member.name, clock)
            scores[member.name] = float(np.mean([row.score for row in rows]))
    return [scores[member.name] for member in members]
