"""How an image of sound is drawn: time to the right, frequency up, light on a dark panel."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from scoring.figures import hertz

PANEL, INK, QUIET, LINE = "#12161b", "#e4e9ee", "#97a3b0", "#333c46"
_TICKS_HZ = (50, 100, 200, 500, 1000, 2000, 4000, 8000, 16000, 32000)


def draw_sound(
    axes: Axes,
    image: np.ndarray,
    extent: tuple[float, float],
    limits: tuple[float, float],
    colours: str,
) -> AxesImage:
    """One (frames, mels) picture on bare axes.

    Args:
        axes: Where it goes.
        image: NaN where there is nothing to show.
        extent: Start and end in seconds.
        limits: Colour limits; what lies beyond is drawn in the end colours.
        colours: Name of the colour map.
    """
    drawn = axes.imshow(
        np.ma.masked_invalid(image.T),
        cmap=mpl.colormaps[colours].with_extremes(bad="#242b33"),
        vmin=limits[0],
        vmax=limits[1],
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        extent=(*extent, -0.5, image.shape[1] - 0.5),
    )
    axes.tick_params(colors=QUIET, labelsize=8, length=2)
    axes.spines[:].set_visible(False)
    return drawn


def colour_bar(drawn: AxesImage, box: tuple[float, float, float, float], unit: str) -> None:
    """The colours' scale, in a box of figure fractions: left, bottom, width, height."""
    figure = drawn.axes.figure
    bar = figure.colorbar(drawn, cax=figure.add_axes(box), extend="neither")
    bar.outline.set_visible(False)  # type: ignore[operator]
    bar.ax.tick_params(colors=QUIET, labelsize=8, length=0, pad=3)
    bar.ax.set_title(unit, color=QUIET, size=8, loc="right", pad=7)


def mel_ticks(axes: Axes, mel_hz: np.ndarray, most: int = 9) -> None:
    """Round frequencies at their (fractional) mel bin, at most so many to the axis."""
    ticks: dict[float, str] = {}
    for hz in _TICKS_HZ:
        if mel_hz[0] <= hz <= mel_hz[-1]:
            bin_ = float(np.interp(hz, mel_hz, np.arange(len(mel_hz))))
            if not ticks or bin_ - max(ticks) >= len(mel_hz) / most:
                ticks[bin_] = hertz(hz).removesuffix("Hz").replace(" ", "")
    axes.set_yticks(list(ticks), list(ticks.values()))
