"""Systems side by side: AUC (pAUC) of each per machine and id, as the challenge prints it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from scoring.metrics import AVERAGE, Result, evaluate, with_averages
from scoring.rows import ScoreRow
from scoring.tables import percent, write_csv

Results = Mapping[str, Sequence[Result]]


def compare(systems: Mapping[str, Sequence[ScoreRow]]) -> dict[str, list[Result]]:
    """Each system's results, averages included; `Ensemble.systems` is what this is for."""
    return {name: with_averages(evaluate(rows)) for name, rows in systems.items()}


def side_by_side(results: Results) -> list[dict[str, Result]]:
    """One line for each machine and id: system -> result.

    Raises:
        ValueError: The systems were not judged on the same machines and ids.
    """
    units = {name: [(r.machine, r.id) for r in of_one] for name, of_one in results.items()}
    first = next(iter(units), "")
    for name, judged in units.items():
        if judged != units[first]:
            raise ValueError(f"{name} and {first} were not judged on the same machines and ids")
    columns = zip(*results.values(), strict=True)
    return [dict(zip(results, line, strict=True)) for line in columns]


def best(values: Sequence[float | None]) -> list[bool]:
    """Which values are the best, to the digit that tables show; none where all are equal."""
    known = [value for value in values if value is not None]
    shown = [percent(value) for value in values]
    if len({percent(value) for value in known}) < 2:
        return [False] * len(shown)
    return [text == percent(max(known)) for text in shown]


def write_comparison(path: Path | str, results: Results) -> Path:
    """Writes `comparison.csv`: fractions, averages included, empty where labels are missing."""
    return write_csv(
        Path(path),
        ("system", "machine", "id", "auc", "pauc"),
        (
            (name, r.machine, r.id, r.auc, r.pauc)
            for name, of_one in results.items()
            for r in of_one
        ),
    )


def format_comparison(results: Results) -> str:
    """The systems as an aligned text table for the terminal, `AUC (pAUC)` in percent."""
    lines = side_by_side(results)
    table = [["machine", "id", *results]]
    for line in lines:
        unit = next(iter(line.values()))
        cells = [f"{percent(r.auc)} ({percent(r.pauc)})" for r in line.values()]
        table.append([unit.machine, unit.id, *cells])
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    rule = "─" * (sum(widths) + 2 * len(widths) - 2)
    text = []
    for machine, id_, *cells in table:
        left = [f"{machine:<{widths[0]}}", f"{id_:<{widths[1]}}"]
        right = [f"{cell:>{width}}" for cell, width in zip(cells, widths[2:], strict=True)]
        text.append("  ".join(left + right))
        # The header, and each average, close a block of ids.
        if id_ in ("id", AVERAGE) and machine != AVERAGE:
            text.append(rule)
    return "\n".join(text)
