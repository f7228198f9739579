"""What the report says of an ensemble: its members side by side, and where they part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scoring import ensemble_plots
from scoring.agreement import (
    Disagreement,
    disagreements,
    machine_correlations,
    rank_correlations,
)
from scoring.album import Album, Embedded
from scoring.comparison import best, compare, side_by_side
from scoring.ensemble import Ensemble
from scoring.metrics import AVERAGE, Result
from scoring.rows import ScoreRow
from scoring.tables import percent

_SHOWN = 5  # disputed clips of a machine


@dataclass(frozen=True)
class Cell:
    """One system's AUC and pAUC in a line of the table, and whether they are the line's best."""

    auc: float | None
    pauc: float | None
    best_auc: bool
    best_pauc: bool


@dataclass(frozen=True)
class Line:
    """A line of the side-by-side table."""

    machine: str
    id: str
    cells: Sequence[Cell]

    @property
    def average(self) -> bool:
        """Whether it sums others up."""
        return self.id == AVERAGE


@dataclass(frozen=True)
class Section:
    """The ensemble's part of the page.

    Attributes:
        verdict: The table in a sentence; empty without labels.
        systems: The table's columns.
        lines: Its lines, averages included; none without labels.
        members: Names of the members alone.
        correlations: (machine, figure) of how alike the members order its clips.
        scatters: (machine, figure) of two members' scores.
        disputed: (machine, clips) on which the members differ most.
    """

    verdict: str
    systems: Sequence[str]
    lines: Sequence[Line]
    members: Sequence[str]
    correlations: Sequence[tuple[str, Embedded]]
    scatters: Sequence[tuple[str, Embedded]]
    disputed: Sequence[tuple[str, Sequence[Disagreement]]]


def build(album: Album, joined: Ensemble) -> Section:
    """Everything the page shows of an ensemble; its figures go into the album."""
    results = compare(joined.systems)
    members, systems = list(joined.members), list(joined.systems)
    judged = any(r.auc is not None for of_one in results.values() for r in of_one)
    machines = machine_correlations(rank_correlations(joined.members))
    if len(members) == 1:  # nobody to agree or to disagree with
        machines = {}
    return Section(
        verdict=_verdict(results, members) if judged else "",
        systems=systems,
        lines=[_line(line) for line in side_by_side(results)] if judged else [],
        members=members,
        correlations=list(_correlations(album, members, machines)),
        scatters=list(_scatters(album, joined.members, machines)),
        disputed=list(_disputed(joined.members)),
    )


def _verdict(results: Mapping[str, Sequence[Result]], members: Sequence[str]) -> str:
    """How the ensembles' overall averages compare with the best member's."""
    overall = {name: of_one[-1] for name, of_one in results.items()}
    top = max(members, key=lambda name: overall[name].auc or 0)
    parts = [
        f"{name.replace('_', ' ')} {_pair(result)}"
        for name, result in overall.items()
        if name not in members
    ]
    return (
        f"Averaged over machines, AUC (pAUC): {', '.join(parts)}; "
        f"the best member alone, {top}, {_pair(overall[top])}."
    )


def _pair(result: Result) -> str:
    return f"{percent(result.auc)} ({percent(result.pauc)})"


def _line(line: Mapping[str, Result]) -> Line:
    """One machine and id, all systems."""
    results = list(line.values())
    return Line(results[0].machine, results[0].id, cells(results))


def cells(results: Sequence[Result]) -> list[Cell]:
    """All systems' results on one machine and id, the best marked."""
    aucs, paucs = [r.auc for r in results], [r.pauc for r in results]
    return [Cell(*cell) for cell in zip(aucs, paucs, best(aucs), best(paucs), strict=True)]


def _correlations(
    album: Album, members: Sequence[str], machines: Mapping[str, np.ndarray]
) -> Iterator[tuple[str, Embedded]]:
    for machine, matrix in machines.items():
        figure = ensemble_plots.correlation_figure(members, matrix)
        alt = f"Rank correlations of the members' scores of {machine}: " + "; ".join(
            f"{members[j]} and {members[i]} {matrix[i, j]:.2f}"
            for i in range(len(members))
            for j in range(i)
        )
        yield machine, album.chart(figure, f"correlation_{machine}", alt)


def _scatters(
    album: Album,
    systems: Mapping[str, Sequence[ScoreRow]],
    machines: Mapping[str, np.ndarray],
) -> Iterator[tuple[str, Embedded]]:
    for machine, matrix in machines.items():
        pairs = ensemble_plots.telling_pairs(matrix)
        if not pairs:
            continue
        clips = {
            name: [row for row in rows if row.machine == machine and row.split == "test"]
            for name, rows in systems.items()
        }
        figure = ensemble_plots.scatter_figure(clips, pairs, matrix)
        alt = f"Scores of {machine} by two members, in deviations above the train clips' mean"
        yield machine, album.chart(figure, f"members_{machine}", alt)


def _disputed(
    systems: Mapping[str, Sequence[ScoreRow]],
) -> Iterator[tuple[str, Sequence[Disagreement]]]:
    """Each machine's most disputed clips; none that all members put in one place."""
    for machine, clips in disagreements(systems).items():
        if shown := [clip for clip in clips[:_SHOWN] if clip.spread > 0]:
            yield machine, shown
