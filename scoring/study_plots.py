"""Charts of a study: the ROC curves of all its systems over one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from scoring.figures import (
    BLUE,
    GREEN,
    GRID,
    INK,
    ORANGE,
    PINK,
    TRAIN,
    VERMILION,
    on_dark,
    strip_axes,
)
from scoring.metrics import MAX_FPR

Curve = tuple[np.ndarray, np.ndarray]

# Not the sky blue of other charts, which on dark pages is the blue's own.
_COLOURS = (BLUE, VERMILION, GREEN, INK, PINK, ORANGE)
_STYLES = ("solid", "dashed", "dotted")  # as matplotlib and CSS both call them


class Stroke(NamedTuple):
    """How a system is drawn, everywhere on a page.

    Attributes:
        colour: On light pages.
        style: Of the line, a word that matplotlib and CSS both know.
    """

    colour: str
    style: str

    @property
    def dark(self) -> str:
        """Its colour on dark pages."""
        return on_dark(self.colour)


def strokes(names: Sequence[str]) -> dict[str, Stroke]:
    """A stroke for each name: colours first, then broken lines; after eighteen they begin anew."""
    every = [Stroke(colour, style) for style in _STYLES for colour in _COLOURS]
    return {name: every[i % len(every)] for i, name in enumerate(names)}


def roc_figure(curves: Mapping[str, Curve], drawn: Mapping[str, Stroke]) -> Figure:
    """A small panel of ROC curves, the region pAUC looks at shaded.

    Args:
        curves: Name -> false alarm and detection rates, each (k,) from 0 to 1.
        drawn: Name -> its stroke; the legend is the page's.
    """
    figure = Figure(figsize=(2.5, 2.5), layout="constrained")
    axes = figure.add_subplot(aspect="equal")
    axes.axvspan(0, MAX_FPR, color=GRID, alpha=0.7, linewidth=0)
    axes.plot((0, 1), (0, 1), color=TRAIN, linewidth=0.8, linestyle=(0, (2, 3)))
    # The first lies on top.
    for name in reversed(list(curves)):
        colour, style = drawn[name]
        axes.plot(*curves[name], color=colour, linestyle=style, linewidth=1.4)
    strip_axes(axes, grid="both")
    axes.set(xlim=(0, 1), ylim=(0, 1.005))
    axes.set_xticks((0, MAX_FPR, 0.5, 1), ("0", f"{MAX_FPR:g}", "0.5", "1"))
    axes.set_yticks((0, 0.5, 1), ("0", "0.5", "1"))
    return figure
