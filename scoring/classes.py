"""Results class by class, in `results.csv` and in the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from scoring.metrics import AVERAGE
from scoring.tables import percent, write_csv

ClassResults = Mapping[str, Sequence[float | None]]


def with_average(results: ClassResults) -> dict[str, list[float | None]]:
    """The classes' values and last a row `average`, the plain mean of those that are known.

    Args:
        results: class -> its metrics, fractions, None where labels are missing.
    """
    columns = zip(*results.values(), strict=True)
    known = [[value for value in column if value is not None] for column in columns]
    means = [float(np.mean(column)) if column else None for column in known]
    return {**{name: list(values) for name, values in results.items()}, AVERAGE: means}


def write_classes(path: Path | str, metrics: Sequence[str], results: ClassResults) -> Path:
    """Writes `class,<metrics>` with a last row `average`.

    Args:
        path: Such as `results.csv`.
        metrics: Heads of the columns, such as `error_rate` and `f1`.
        results: class -> a value for each of them.
    """
    lines = ((name, *values) for name, values in with_average(results).items())
    return write_csv(Path(path), ("class", *metrics), lines)


def format_classes(heads: Sequence[str], results: ClassResults) -> str:
    """The same as an aligned text table in percent, for the terminal."""
    text = format_rows("class", heads, with_average(results)).splitlines()
    return "\n".join([*text[:-1], text[1], text[-1]])


def format_rows(kind: str, heads: Sequence[str], rows: ClassResults) -> str:
    """An aligned text table in percent.

    Args:
        kind: what a row is, such as `class`.
        heads: of the columns.
        rows: name -> a value for each of them.
    """
    cells = [(kind, *heads), *((name, *map(percent, values)) for name, values in rows.items())]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(f"{cell:{'<' if i == 0 else '>'}{widths[i]}}" for i, cell in enumerate(row))
        for row in cells
    ]
    return "\n".join([lines[0], "─" * len(lines[0]), *lines[1:]])
