"""Real clips beside sampled ones: a figure for each machine, and a page to hear them on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from scoring import figures
from scoring.files import write_bytes, write_text
from scoring.likeness import Likeness
from scoring.maps import colour_limits
from scoring.pages import template
from scoring.sound import INK, PANEL, QUIET, colour_bar, draw_sound, mel_ticks

_DPI = 110
# Inches: the figure, a panel, and what is around it.
_WIDTH, _HEIGHT, _ABOVE, _BELOW, _TOP, _BOTTOM = 11.0, 1.3, 0.3, 0.12, 0.32, 0.3
_LEFT, _RIGHT, _GAP, _BAR = 0.6, 0.56, 0.2, 0.08


@dataclass(frozen=True)
class Shown:
    """A clip to see and hear.

    Attributes:
        name: Its file's.
        logmel: (frames, mels) power in dB.
        audio: A wav file.
    """

    name: str
    logmel: np.ndarray
    audio: bytes

    @property
    def uri(self) -> str:
        """Its sound as a `data:` address."""
        return figures.data_uri(self.audio, "audio/wav")


@dataclass(frozen=True)
class Pair:
    """A real clip and a sampled one of the same id."""

    id: str
    real: Shown
    sampled: Shown


@dataclass(frozen=True)
class Sampled:
    """All that is shown of one machine.

    Attributes:
        machine: Its name.
        pairs: To look at and listen to, at least one.
        lines: The numbers, id by id.
        note: What else must be known, a sentence or nothing.
    """

    machine: str
    pairs: Sequence[Pair]
    lines: Sequence[Likeness]
    note: str = ""


def write_page(
    folder: Path, title: str, machines: Sequence[Sampled], hop_seconds: float, mel_hz: np.ndarray
) -> Path:
    """Writes each machine's figure and `index.html`, and returns the page's path.

    Args:
        folder: Where they go.
        title: The page's heading.
        machines: What to show.
        hop_seconds: Time from one frame to the next.
        mel_hz: (mels,) centre frequencies in Hz, rising.
    """
    pictures = {}
    for each in machines:
        data = figures.png(pair_figure(each.pairs, hop_seconds, mel_hz), _DPI)
        write_bytes(folder / f"{each.machine}.png", data)
        pictures[each.machine] = figures.data_uri(data, "image/png")
    page = template("samples.html.jinja").render(title=title, machines=machines, pictures=pictures)
    return write_text(folder / "index.html", page)


def pair_figure(pairs: Sequence[Pair], hop_seconds: float, mel_hz: np.ndarray) -> Figure:
    """A row for each pair, real on the left and sampled on the right, all in the same colours.

    Args:
        pairs: What to draw.
        hop_seconds: Time from one frame to the next.
        mel_hz: (mels,) centre frequencies in Hz, rising.
    """
    row = _ABOVE + _HEIGHT + _BELOW
    height = _TOP + len(pairs) * row + _BOTTOM
    width = (_WIDTH - _LEFT - _RIGHT - _GAP) / 2
    figure = Figure(figsize=(_WIDTH, height), facecolor=PANEL)

    def box(left: float, bottom: float, wide: float) -> tuple[float, float, float, float]:
        return left / _WIDTH, bottom / height, wide / _WIDTH, _HEIGHT / height

    # Of the real clips alone: what a model overdoes is to be seen as such.
    limits = colour_limits([pair.real.logmel for pair in pairs])
    longest = max(len(clip.logmel) for pair in pairs for clip in (pair.real, pair.sampled))
    for i, pair in enumerate(pairs):
        bottom = height - _TOP - (i + 1) * row + _BELOW
        for column, clip in enumerate((pair.real, pair.sampled)):
            left = _LEFT + column * (width + _GAP)
            axes = figure.add_axes(box(left, bottom, width))
            extent = -0.5 * hop_seconds, (len(clip.logmel) - 0.5) * hop_seconds
            drawn = draw_sound(axes, clip.logmel, extent, limits, "cividis")
            axes.set_xlim(-0.5 * hop_seconds, (longest - 0.5) * hop_seconds)
            axes.set_facecolor(PANEL)
            mel_ticks(axes, mel_hz, most=5)
            axes.xaxis.set_major_formatter("{x:g} s")
            axes.tick_params(labelleft=not column, labelbottom=i == len(pairs) - 1)
            axes.set_title(figures.literal(clip.name), loc="left", color=QUIET, size=8.5, pad=4)
            if not i:
                place = left / _WIDTH, 1 - 0.24 / height
                figure.text(*place, ("real", "sampled")[column], color=INK, size=11)
            if not i and column:
                colour_bar(drawn, box(left + width + 0.08, bottom, _BAR), "dB")
    return figure
