"""The points of a sweep side by side: means and spreads over seeds, as a table and as a figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scoring.figures import BLUE, INK, TRAIN, literal, strip_axes
from scoring.metrics import AVERAGE, Result
from scoring.tables import write_csv

Seeds = Mapping[str, Sequence[Sequence[Result]]]


@dataclass(frozen=True)
class Spread:
    """What the seeds of a point came to on one machine and id.

    Attributes:
        name: of the point.
        machine, id: as in `Result`; both `average` for all of them.
        auc, pauc: (seeds,) fractions, NaN where labels are missing.
    """

    name: str
    machine: str
    id: str
    auc: np.ndarray
    pauc: np.ndarray

    @property
    def overall(self) -> bool:
        """Whether it is the average over machines."""
        return self.machine == self.id == AVERAGE


def spreads(seeds: Seeds) -> list[Spread]:
    """Each point's results over its seeds, machine by machine and id by id.

    Args:
        seeds: name of a point -> for each seed its results, averages included.

    Raises:
        ValueError: the seeds of a point were not judged on the same machines and ids.
    """
    return [
        _spread(name, of_one_id)
        for name, results in seeds.items()
        for of_one_id in zip(*results, strict=True)
    ]


def _spread(name: str, results: Sequence[Result]) -> Spread:
    (unit,) = {(result.machine, result.id) for result in results}
    auc, pauc = (
        np.array([np.nan if value is None else value for value in values])
        for values in zip(*((result.auc, result.pauc) for result in results), strict=True)
    )
    return Spread(name, *unit, auc, pauc)


def deviation(values: np.ndarray) -> float:
    """The standard deviation of a population that the seeds are a sample of; NaN for one seed."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")


def write_sweep(path: Path, table: Sequence[Spread]) -> Path:
    """Writes `sweep.csv`: fractions, mean and standard deviation over seeds."""
    header = ("name", "machine", "id", "num_seeds", "auc", "auc_sd", "pauc", "pauc_sd")
    lines = (
        (each.name, each.machine, each.id, len(each.auc), *_cells(each.auc), *_cells(each.pauc))
        for each in table
    )
    return write_csv(path, header, lines)


def _cells(values: np.ndarray) -> tuple[float | None, float | None]:
    """Mean and deviation, None for what is not known."""
    mean, sd = float(np.mean(values)), deviation(values)
    return None if np.isnan(mean) else mean, None if np.isnan(sd) else sd


def format_sweep(table: Sequence[Spread]) -> str:
    """The averages as an aligned text table for the terminal, in percent."""
    cells = [("", "seeds", "AUC %", "pAUC %")]
    cells += [
        (each.name, str(len(each.auc)), _percent(each.auc), _percent(each.pauc))
        for each in table
        if each.overall
    ]
    widths = [max(len(row[i]) for row in cells) for i in range(4)]
    return "\n".join(
        f"{name:<{widths[0]}}  {seeds:>{widths[1]}}  {auc:>{widths[2]}}  {pauc:>{widths[3]}}"
        for name, seeds, auc, pauc in cells
    )


def _percent(values: np.ndarray) -> str:
    mean, sd = _cells(values)
    if mean is None:
        return "\N{EN DASH}"
    return f"{100 * mean:.1f}" + ("" if sd is None else f" ± {100 * sd:.1f}")


def sweep_figure(table: Sequence[Spread]) -> Figure:
    """AUC and pAUC of every point: a dot a seed, a stroke at their mean."""
    overall = [each for each in table if each.overall]
    letters = max(len(each.name) for each in overall)
    size = (5.2 + 0.08 * letters, 0.28 * len(overall) + 0.9)
    figure = Figure(figsize=size, layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    _dots(left, [each.auc for each in overall], "AUC %")
    _dots(right, [each.pauc for each in overall], "pAUC %")
    left.set_yticks(range(len(overall)), [literal(each.name) for each in overall])
    left.tick_params(axis="y", labelcolor=INK)
    left.set_ylim(len(overall) - 0.5, -0.5)
    return figure


def _dots(axes: Axes, points: Sequence[np.ndarray], label: str) -> None:
    """One line of dots a point."""
    for row, values in enumerate(points):
        known = 100 * values[np.isfinite(values)]
        axes.plot(known, np.full(len(known), row), "o", color=BLUE, markersize=4.5, alpha=0.75)
        if len(known):
            axes.plot([known.mean()] * 2, [row - 0.3, row + 0.3], color=INK, linewidth=1.6)
        axes.axhline(row, color=TRAIN, linewidth=0.4, zorder=0)
    strip_axes(axes, grid="x")
    axes.set_xlabel(label)
