"""What all figures share: colours, bare axes, and ways out of matplotlib.

Only `matplotlib.figure.Figure` is used: no pyplot, no global state, no GUI backend.

Charts leave as SVG, sharp at any size, in two inks: one for light pages, one for dark. Images of
sound leave as PNG on a dark panel of their own, which suits both.
"""

from __future__ import annotations

import base64
import io
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe & Ito's colour-blind safe palette (2008), without its yellow, which white paper swallows.
BLUE, VERMILION, GREEN, ORANGE, PINK, SKY = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#e69f00",
    "#cc79a7",
    "#56b4e9",
)
SERIES = (BLUE, VERMILION, GREEN, ORANGE, PINK, SKY)

INK, MUTED, GRID, TRAIN = "#1f2831", "#64707d", "#e2e6ea", "#a3adb8"
_ON_DARK = {
    INK: "#e4e9ee",
    MUTED: "#97a3b0",
    GRID: "#2b333c",
    TRAIN: "#6d7986",
    BLUE: "#4aa8e0",
    VERMILION: "#f0803c",
}

_SVG_STYLE: dict[Any, Any] = {
    # Text stays text, in the reader's own interface font; ids hash to the same names every run.
    "svg.fonttype": "none",
    "svg.hashsalt": "scoring",
}
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def strip_axes(axes: Axes, grid: str | None = None) -> None:
    """Leaves of a frame only what carries meaning.

    Args:
        axes: Axes on a light figure.
        grid: `x`, `y` or `both` for faint lines behind the data.
    """
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_color(GRID)
        axes.spines[side].set_visible(side in ("left", "bottom"))
    axes.tick_params(colors=MUTED, labelsize=9, length=0, pad=4)
    axes.xaxis.label.set(color=MUTED, size=9)
    axes.yaxis.label.set(color=MUTED, size=9)
    axes.set_axisbelow(True)
    if grid in ("x", "y", "both"):
        axes.grid(axis=grid, color=GRID, linewidth=0.8)


def svg(figure: Figure) -> str:
    """The figure as SVG text on a transparent ground, the same for the same data."""
    with mpl.rc_context(_SVG_STYLE):
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    return buffer.getvalue().replace("'DejaVu Sans'", _FONT)


def on_dark(drawing: str) -> str:
    """The same SVG in the inks of a dark page."""
    for light, dark in _ON_DARK.items():
        drawing = drawing.replace(light, dark)
    return drawing


def png(figure: Figure, dpi: int) -> bytes:
    """The figure as PNG bytes, on its own ground."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return buffer.getvalue()


def data_uri(data: bytes, mime: str) -> str:
    """Bytes as a `data:` address, so that a page needs no other file."""
    return f"data:{mime};base64,{base64.b64encode(data).decode('ascii')}"


def literal(text: str) -> str:
    """Text that matplotlib draws as it stands: a dollar would open a formula."""
    return text.replace("$", r"\$")


def hertz(hz: float) -> str:
    """A frequency in words, `250 Hz` or `1.2 kHz`."""
    return f"{hz:.0f} Hz" if hz < 1000 else f"{hz / 1000:.1f}".removesuffix(".0") + " kHz"
