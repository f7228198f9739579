"""Figures on their way into the page: written beside it, and handed back embedded."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from scoring import figures
from scoring.files import write_bytes, write_text

_DPI = 110


@dataclass(frozen=True)
class Picture:
    """A picture someone else has made, for the page to show.

    Attributes:
        title: Its heading, and its file name in `figures/`.
        caption: What to see in it, in a sentence.
        image: A figure, or the bytes of a PNG; on its own ground, as pages are light or dark.
    """

    title: str
    caption: str
    image: Figure | bytes


@dataclass(frozen=True)
class Embedded:
    """A figure in the page: its `data:` addresses and what it shows, in words."""

    light: str
    dark: str
    alt: str


class Album:
    """Writes figures into a folder and hands them back embedded."""

    def __init__(self, folder: Path):
        self.folder = folder

    def chart(self, figure: Figure, name: str, alt: str) -> Embedded:
        """A chart, as SVG in two inks; the file has the light one."""
        drawing = figures.svg(figure)
        write_text(self.folder / f"{_safe(name)}.svg", drawing)
        light, dark = drawing.encode(), figures.on_dark(drawing).encode()
        mime = "image/svg+xml"
        return Embedded(figures.data_uri(light, mime), figures.data_uri(dark, mime), alt)

    def image(self, image: Figure | bytes, name: str, alt: str) -> Embedded:
        """An image of sound, as PNG on its own ground."""
        data = figures.png(image, _DPI) if isinstance(image, Figure) else image
        write_bytes(self.folder / f"{_safe(name)}.png", data)
        uri = figures.data_uri(data, "image/png")
        return Embedded(uri, uri, alt)


def _safe(name: str) -> str:
    """A file name from a machine's, which may hold anything a folder's name may."""
    return re.sub(r"[^\w.-]", "_", name)
