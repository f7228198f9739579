"""How alike the members of an ensemble order the clips, and about which clips they differ.

Members that order all clips alike add nothing to each other; an ensemble gains where each is good
alone and their errors differ. Orders are compared, not scores: they need no common scale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from scipy.stats import rankdata

from scoring.members import align
from scoring.rows import ScoreRow, Unit, by_unit, scores_of
from scoring.tables import write_csv


def rank_correlations(systems: Mapping[str, Sequence[ScoreRow]]) -> dict[Unit, np.ndarray]:
    """Spearman's rank correlation between systems over each unit's test clips.

    Ranks are taken within a unit: pooled over units, members would agree merely on which unit
    scores high.

    Args:
        systems: Name -> rows of the same clips, in any order, on any scale.

    Returns:
        Per unit with test clips (n, n) in [-1, 1] for n systems in their given order; NaN where a
        system gives all clips one score, which orders nothing.

    Raises:
        EnsembleError: The systems do not score the same clips.
    """
    return {unit: _spearman(ranks) for unit, (_, ranks) in _ranked(systems).items()}


def machine_correlations(units: Mapping[Unit, np.ndarray]) -> dict[str, np.ndarray]:
    """The mean over each machine's ids, (n, n); an id whose correlation is NaN is left out."""
    machines: dict[str, list[np.ndarray]] = {}
    for (machine, _), matrix in units.items():
        machines.setdefault(machine, []).append(matrix)
    return {
        machine: np.ma.masked_invalid(matrices).mean(0).filled(np.nan)
        for machine, matrices in machines.items()
    }


@dataclass(frozen=True)
class Disagreement:
    """A test clip and where each system places it.

    Attributes:
        clip: The clip; its score is the first system's.
        places: System -> place among the unit's test clips, 0 the most ordinary, 1 the strangest.
    """

    clip: ScoreRow
    places: Mapping[str, float]

    @property
    def spread(self) -> float:
        """The distance between the systems that differ most, in [0, 1]."""
        return max(self.places.values()) - min(self.places.values())


def disagreements(systems: Mapping[str, Sequence[ScoreRow]]) -> dict[str, list[Disagreement]]:
    """Each machine's test clips, those first whose places lie farthest apart.

    Places, not z scores: where one system's anomalies score in hundreds of deviations, every
    anomaly would look like a quarrel though both put it on top.

    Args:
        systems: As for `rank_correlations`.

    Raises:
        EnsembleError: The systems do not score the same clips.
    """
    machines: dict[str, list[Disagreement]] = {}
    for (machine, _), (clips, ranks) in _ranked(systems).items():
        places = (ranks - 1) / max(len(clips) - 1, 1)
        machines.setdefault(machine, []).extend(
            Disagreement(clip, dict(zip(systems, column.tolist(), strict=True)))
            for clip, column in zip(clips, places.T, strict=True)
        )
    for clips in machines.values():
        clips.sort(key=lambda found: -found.spread)
    return machines


def write_agreement(path: Path | str, systems: Mapping[str, Sequence[ScoreRow]]) -> Path:
    """Writes `machine,id,system,other,spearman`, each pair once; empty where there is no order."""
    pairs = list(combinations(enumerate(systems), 2))
    return write_csv(
        Path(path),
        ("machine", "id", "system", "other", "spearman"),
        (
            (*unit, name, other, float(matrix[i, j]) if np.isfinite(matrix[i, j]) else None)
            for unit, matrix in rank_correlations(systems).items()
            for (i, name), (j, other) in pairs
        ),
    )


def _ranked(
    systems: Mapping[str, Sequence[ScoreRow]],
) -> dict[Unit, tuple[list[ScoreRow], np.ndarray]]:
    """Each unit's test clips, and their ranks (n systems, clips) from 1; ties share a rank."""
    units = [by_unit(rows, split="test") for rows in align(systems).values()]
    return {
        unit: (clips, rankdata([scores_of(system[unit]) for system in units], axis=1))
        for unit, clips in units[0].items()
    }


def _spearman(ranks: np.ndarray) -> np.ndarray:
    """Pearson's correlation between the rows of ranks (n, clips), (n, n)."""
    centred = ranks - ranks.mean(axis=1, keepdims=True)
    squares = np.sum(centred**2, axis=1)
    # One root of the product, not two roots: equal orders then correlate by exactly 1.
    with np.errstate(invalid="ignore"):
        return centred @ centred.T / np.sqrt(np.outer(squares, squares))
