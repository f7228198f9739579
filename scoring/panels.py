"""A grid of small spectrograms that compare by eye, such as one clip after each augmentation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from scoring.figures import literal
from scoring.maps import colour_limits
from scoring.sound import INK, PANEL, QUIET, colour_bar, draw_sound, mel_ticks

COLUMNS = 4  # at most
# Inches: the figure, a row's panels, the text above and the numbers below them, and the margins.
_WIDTH, _HEIGHT, _HEAD, _FOOT, _GAP = 11.0, 1.75, 0.52, 0.3, 0.18
_LEFT, _RIGHT, _EDGE, _BAR = 0.6, 0.56, 0.12, 0.08


class Panel(NamedTuple):
    """One spectrogram of a grid.

    Attributes:
        title: What it shows, in two or three words.
        note: A little more, in a few words.
        image: (frames, mels) power in dB.
    """

    title: str
    note: str
    image: np.ndarray


def panel_figure(panels: Sequence[Panel], hop_seconds: float, mel_hz: np.ndarray) -> Figure:
    """All panels with the same colours and axes.

    Args:
        panels: What to draw, of as many frames and mels each.
        hop_seconds: Time from one frame to the next.
        mel_hz: (mels,) centre frequencies in Hz, rising.
    """
    rows = -(-len(panels) // COLUMNS)
    columns = -(-len(panels) // rows)
    width = (_WIDTH - _LEFT - _RIGHT - (columns - 1) * _GAP) / columns
    height = rows * (_HEAD + _HEIGHT + _FOOT) + 2 * _EDGE
    figure = Figure(figsize=(_WIDTH, height), facecolor=PANEL)

    def fractions(left: float, bottom: float, wide: float) -> tuple[float, float, float, float]:
        return left / _WIDTH, bottom / height, wide / _WIDTH, _HEIGHT / height

    limits = colour_limits([panel.image for panel in panels])
    for i, panel in enumerate(panels):
        row, column = divmod(i, columns)
        left = _LEFT + column * (width + _GAP)
        bottom = height - _EDGE - (row + 1) * (_HEAD + _HEIGHT) - row * _FOOT
        axes = figure.add_axes(fractions(left, bottom, width))
        drawn = _draw(axes, panel, hop_seconds, limits)
        mel_ticks(axes, mel_hz, most=7)
        axes.tick_params(labelleft=not column)
        if not column:
            axes.set_ylabel("Hz", color=QUIET, size=8.5, labelpad=2)
        if i == columns - 1:
            colour_bar(drawn, fractions(left + width + 0.08, bottom, _BAR), "dB")
    return figure


def _draw(axes: Axes, panel: Panel, hop_seconds: float, limits: tuple[float, float]) -> AxesImage:
    """One panel under its title and note."""
    extent = -0.5 * hop_seconds, (len(panel.image) - 0.5) * hop_seconds
    for text, above, colour, size in (
        (panel.title, 22, INK, 9.5),
        (panel.note, 8, QUIET, 8.5),
    ):
        axes.annotate(
            literal(text),
            (0, 1),
            (0, above),
            xycoords="axes fraction",
            textcoords="offset points",
            color=colour,
            size=size,
        )
    axes.xaxis.set_major_formatter("{x:g} s")
    axes.locator_params(axis="x", nbins=5)
    return draw_sound(axes, panel.image, extent, limits, "cividis")
