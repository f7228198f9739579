"""Scores of different units on one scale: z = (score - mean) / deviation over train clips."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from scoring.rows import ScoreRow, Unit, by_unit, scores_of


@dataclass(frozen=True)
class Standard:
    """Where one unit's normal scores lie.

    Attributes:
        mean: Mean score of its train clips.
        std: Their (population) standard deviation; 0 where it cannot be known.
    """

    mean: float
    std: float

    def z(self, score: float) -> float:
        """Deviations above the mean.

        Where the deviation is 0 (one train clip, or all scores equal) there is no scale to divide
        by: the score is only centred, as if the deviation were 1. The order of clips is kept, and
        nothing becomes infinite.
        """
        return (score - self.mean) / (self.std or 1.0)


def fit_standards(rows: Iterable[ScoreRow]) -> dict[Unit, Standard]:
    """Mean and deviation of every unit over its train rows.

    A deviation below the rounding error of its mean is taken as 0: equal scores leave such a
    residue, and dividing by it would blow rounding up to thousands of deviations.
    """
    standards = {}
    for unit, train in by_unit(rows, split="train").items():
        scores = scores_of(train)
        mean, std = float(np.mean(scores)), float(np.std(scores))
        negligible = std <= 1e-12 * float(np.max(np.abs(scores)))
        standards[unit] = Standard(mean, 0.0 if negligible else std)
    return standards


def standardise(
    rows: Sequence[ScoreRow], standards: Mapping[Unit, Standard] | None = None
) -> list[ScoreRow]:
    """The same rows with z scores, train rows included.

    Args:
        rows: Rows of any units.
        standards: From `fit_standards`, to apply what other rows taught; None fits these rows.

    Raises:
        ValueError: A unit has no train clips to standardise by.
    """
    standards = fit_standards(rows) if standards is None else standards
    require_train(rows, standards)
    return [replace(row, score=standards[row.unit].z(row.score)) for row in rows]


def require_train(rows: Iterable[ScoreRow], known: Mapping[Unit, object]) -> None:
    """Says in one line which units have clips to judge but none to judge them by.

    Raises:
        ValueError: Some unit of `rows` is not in `known`.
    """
    missing = sorted({row.unit for row in rows} - set(known))
    if missing:
        units = ", ".join(f"{machine} id {id_}" for machine, id_ in missing)
        raise ValueError(
            f"scores: no train clips for {units}: add normal clips of it to train, "
            "or remove its test clips"
        )
