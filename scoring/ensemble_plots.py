"""Charts of an ensemble: how alike its members order the clips, and two members' scores at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from scoring.figures import BLUE, INK, MUTED, TRAIN, VERMILION, literal, strip_axes
from scoring.rows import ScoreRow, scores_of

Pair = tuple[int, int]

_CELL = 0.62  # inches
_LETTER = 0.075  # inches, of the labels, roughly
_PANEL = 2.7  # inches
_LINEAR = 3.0  # deviations drawn to scale; beyond, decades are
_TICKS = (-1000, -100, -10, -3, -1, 0, 1, 3, 10, 100, 1000, 10_000)


def correlation_figure(names: Sequence[str], matrix: np.ndarray) -> Figure:
    """A correlation matrix (n, n) as a staircase, each name standing on its own step.

    Blue is agreement, vermilion the opposite, and the stronger the fuller; no cell for NaN.
    """
    n = len(names)
    reach = max(i * _CELL + len(name) * _LETTER for i, name in enumerate(names))
    figure = Figure(figsize=(max(reach + 0.1, 3.5), n * _CELL + 0.1))
    axes = figure.add_axes((0, 0, 1, 1))
    for i, name in enumerate(names):
        label = literal(name)
        axes.text(i + 0.06, i + 0.5, label, color=INK, size=10, weight="bold", va="center")
        for j in range(i):
            _cell(axes, (i, j), float(matrix[i, j]))
    width, height = figure.get_size_inches() / _CELL
    axes.set(xlim=(-0.08, width - 0.08), ylim=(height - 0.08, -0.08))
    axes.axis("off")
    return figure


def _cell(axes: Axes, place: Pair, value: float) -> None:
    """One correlation at (row, column)."""
    row, column = place
    known = np.isfinite(value)
    if known:
        colour, strength = (BLUE if value >= 0 else VERMILION), 0.65 * abs(value)
        corner = column + 0.03, row + 0.03
        axes.add_patch(Rectangle(corner, 0.94, 0.94, color=colour, alpha=strength, linewidth=0))
    text = f"{value:.2f}".replace("-", "\N{MINUS SIGN}") if known else "\N{EN DASH}"
    middle = column + 0.5, row + 0.5
    axes.text(*middle, text, color=INK, size=10, ha="center", va="center")


def telling_pairs(matrix: np.ndarray) -> list[Pair]:
    """The least and the most correlated pair; one pair where all are equal, none for one member."""
    pairs = [pair for pair in combinations(range(len(matrix)), 2) if np.isfinite(matrix[pair])]
    if not pairs:
        return []
    least, most = min(pairs, key=lambda p: matrix[p]), max(pairs, key=lambda p: matrix[p])
    return list(dict.fromkeys((least, most)))


def scatter_figure(
    systems: Mapping[str, Sequence[ScoreRow]], pairs: Sequence[Pair], matrix: np.ndarray
) -> Figure:
    """Two members' z scores of one machine's test clips, a panel for each pair.

    Args:
        systems: Name -> z scores; the same test clips in the same order.
        pairs: Which systems to draw against each other, one or more.
        matrix: (n, n) rank correlations, for the titles.
    """
    # The points are many, so they are drawn as pixels, sharp enough for a dense screen.
    figure = Figure(figsize=(_PANEL * len(pairs), _PANEL + 0.25), dpi=200, layout="constrained")
    names = list(systems)
    for k, pair in enumerate(pairs, 1):
        axes = figure.add_subplot(1, len(pairs), k)
        across, up = (names[i] for i in pair)
        _points(axes, systems[across], systems[up])
        strip_axes(axes, grid="both")
        title = f"rank correlation {matrix[pair]:.2f}".replace("-", "\N{MINUS SIGN}")
        axes.set_title(title, loc="left", color=MUTED, size=9)
        axes.set(xlabel=literal(across), ylabel=literal(up))
    return figure


def _points(axes: Axes, across: Sequence[ScoreRow], up: Sequence[ScoreRow]) -> None:
    """A point for each clip, coloured by its label.

    An anomaly may lie hundreds of deviations out and would leave the rest one dot, so what is
    beyond a few deviations is drawn by decades.
    """
    x, y = scores_of(across), scores_of(up)
    inks = np.array(
        [TRAIN if row.label is None else (BLUE, VERMILION)[row.label] for row in across]
    )
    # Shuffled (the same every time), so that where labels mix neither hides the other.
    order = np.random.default_rng(0).permutation(len(x))
    axes.scatter(x[order], y[order], s=9, c=inks[order], alpha=0.75, linewidths=0, rasterized=True)
    axes.set_xscale("symlog", linthresh=_LINEAR)
    axes.set_yscale("symlog", linthresh=_LINEAR)
    for axis, values in ((axes.xaxis, x), (axes.yaxis, y)):
        ticks = [tick for tick in _TICKS if not tick or values.min() <= tick <= values.max()]
        axis.set_ticks(ticks, labels=[f"{t:,}".replace("-", "\N{MINUS SIGN}") for t in ticks])
        axis.set_ticks([], minor=True)
