"""Systems side by side that nobody joins: how well each hears, and what that costs.

Nothing is put on one scale and nothing is combined, so train clips are not needed: systems are
compared by how each orders the same test clips. `study.csv` has a line for each system and machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scoring.comparison import compare
from scoring.costs import Cost, average, duration
from scoring.members import EnsembleError, Member, align
from scoring.metrics import AVERAGE, Result
from scoring.rows import ScoreRow
from scoring.tables import percent, write_csv

_HEADER = ("system", "machine", "auc", "pauc", *Cost.CELLS)


@dataclass(frozen=True)
class Study:
    """What there is to compare.

    Attributes:
        systems: Name -> its score of every test clip, the same clips in the same order.
        costs: Name -> the cost of each machine's model, of those systems whose costs are known.
        left_out: (name, reason) of systems that could not be run.
    """

    systems: Mapping[str, Sequence[ScoreRow]]
    costs: Mapping[str, Sequence[Cost]] = field(default_factory=dict)
    left_out: Sequence[tuple[str, str]] = ()

    @property
    def results(self) -> dict[str, list[Result]]:
        """Each system's results, averages included."""
        return compare(self.systems)

    def cost(self, system: str, machine: str) -> Cost | None:
        """What a system's model of a machine cost, or with `average` the mean; None if unknown."""
        costs = self.costs.get(system, ())
        if machine == AVERAGE:
            return average(costs)
        return next((cost for cost in costs if cost.machine == machine), None)


def study(
    members: Sequence[Member],
    costs: Mapping[str, Sequence[Cost]],
    left_out: Sequence[tuple[str, str]] = (),
) -> Study:
    """Puts systems side by side.

    Args:
        members: One or more, each of one model, in the order tables are to show them.
        costs: As in `Study`.
        left_out: As in `Study`.

    Raises:
        EnsembleError: A name used twice; test clips that are missing or doubled in a system, or
            labelled differently.
    """
    names = [member.name for member in members]
    if twice := [name for name in names if names.count(name) > 1]:
        raise EnsembleError(f"two members cannot be called {twice[0]!r}: rename one")
    tests = {
        f"member {member.name!r}": [row for row in rows if row.split == "test"]
        for member in members
        for rows in member.variants
    }
    return Study(dict(zip(names, align(tests).values(), strict=True)), costs, left_out)


def write_study(path: Path | str, compared: Study) -> Path:
    """Writes `study.csv`: for each system a line a machine, and their averages.

    AUC and pAUC are averages over ids, fractions. What is not known is an empty cell.
    """
    nothing = (None,) * len(Cost.CELLS)
    lines = [
        (name, r.machine, r.auc, r.pauc, *(cost.cells if cost else nothing))
        for name, results in compared.results.items()
        for r in results
        if r.id == AVERAGE
        for cost in [compared.cost(name, r.machine)]
    ]
    return write_csv(Path(path), _HEADER, lines)


def format_study(compared: Study) -> str:
    """Averages and costs as an aligned text table for the terminal, a line a system."""
    table = [("", "AUC %", "pAUC %", "parameters", "fit", "scoring an hour")]
    for name, results in compared.results.items():
        overall, cost = results[-1], compared.cost(name, AVERAGE)
        table.append((name, percent(overall.auc), percent(overall.pauc), *_texts(cost)))
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(
            [f"{name:<{widths[0]}}"]
            + [f"{cell:>{width}}" for cell, width in zip(cells, widths[1:], strict=True)]
        )
        for name, *cells in table
    )


def _texts(cost: Cost | None) -> tuple[str, str, str]:
    """A cost in words: of a model, on average."""
    if cost is None:
        return percent(None), duration(None), duration(None)
    scoring = duration(cost.score_seconds_per_hour)
    return f"{cost.parameters:,}", duration(cost.fit_seconds), scoring
