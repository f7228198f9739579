"""The chart of tri-training: equal error rates by class and system, with a dot a fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scoring.figures import BLUE, GREEN, INK, TRAIN, VERMILION, literal, strip_axes

COLOURS = {"supervised": TRAIN, "self_training": VERMILION, "pool": GREEN, "student": BLUE}
_LINE = 0.17  # of a class's height, from one system to the next

Rates = Sequence[float | None]


def rates_figure(rates: Mapping[str, Rates], folds: Sequence[Mapping[str, Rates]]) -> Figure:
    """A row a class, a line a system.

    Args:
        rates: class -> the rate of each system, over all folds; drawn as strokes.
        folds: likewise of each fold by itself; drawn as dots.
    """
    figure = Figure(figsize=(9.0, 0.62 * len(rates) + 0.9), layout="constrained")
    axes = figure.add_subplot()
    for row, name in enumerate(rates):
        for line, system in enumerate(COLOURS):
            place = row + _LINE * (line - (len(COLOURS) - 1) / 2)
            dots = [fold[name][line] for fold in folds if name in fold]
            _line(axes, place, rates[name][line], dots, COLOURS[system])
        axes.axhline(row + 0.5, color=TRAIN, linewidth=0.3, zorder=0)
    axes.set_yticks(range(len(rates)), [literal(name) for name in rates])
    strip_axes(axes, grid="x")
    axes.tick_params(axis="y", labelcolor=INK)
    axes.set(ylim=(len(rates) - 0.5, -0.5), xlabel="equal error rate %")
    axes.set_xlim(left=min(axes.get_xlim()[0], 0))
    return figure


def _line(axes: Axes, place: float, rate: float | None, dots: Rates, colour: str) -> None:
    """One system of one class: a dot a fold, and a stroke for all of them."""
    known = [100 * dot for dot in dots if dot is not None]
    axes.plot(known, [place] * len(known), "o", color=colour, markersize=3.5, alpha=0.55)
    if rate is not None:
        axes.plot([0, 100 * rate], [place] * 2, color=colour, linewidth=1.4, alpha=0.6)
        axes.plot([100 * rate] * 2, [place - 0.08, place + 0.08], color=colour, linewidth=2.6)
