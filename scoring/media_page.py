"""The page of a detector of media: how often it errs, and test streams to look at and listen to.

One HTML file that needs no other, as the report is; its figures are written beside it too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from scoring import figures, media_plots, plots
from scoring.album import Album
from scoring.eer import equal_error_rate
from scoring.files import write_text
from scoring.media_plots import StreamView
from scoring.pages import template
from scoring.summary import count
from scoring.tables import percent, write_csv

CONTEXTS = {
    "none": "every snippet by itself",
    "top": "a layer over snippets decides",
    "middle": "a layer over snippets informs the top of the pyramid",
}


class Snippet(NamedTuple):
    """A line of `snippets.csv`.

    Attributes:
        stream: The file's name.
        onset: Seconds into the stream.
        offset: Where it ends.
        media_share: How much of it is media, a fraction.
        label: 1 where that is more than half, else 0.
        score: The probability of media.
    """

    stream: str
    onset: float
    offset: float
    media_share: float
    label: int
    score: float


@dataclass(frozen=True)
class Page:
    """What the page shows.

    Attributes:
        title: Its heading.
        snippets: All test snippets.
        context: `none`, `top` or `middle`.
        curve: Rows of training metrics.
        streams: Test streams to show.
        config: The configuration as JSON text.
        facts: Name -> value, such as wall time, versions, data.
    """

    title: str
    snippets: Sequence[Snippet]
    context: str
    curve: Sequence[Mapping[str, object]] = ()
    streams: Sequence[StreamView] = ()
    config: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


def write_snippets(path: Path, snippets: Sequence[Snippet]) -> Path:
    """Writes `snippets.csv`."""
    return write_csv(path, Snippet._fields, snippets)


def error_rate(snippets: Sequence[Snippet]) -> float | None:
    """The equal error rate over snippets; None unless both kinds are there."""
    return equal_error_rate(*_labels_and_scores(snippets))


def write_page(path: Path | str, page: Page) -> Path:
    """Writes the page and its figures, into `figures/` beside it, and returns the page's path."""
    path, eer = Path(path), error_rate(page.snippets)
    labels, scores = _labels_and_scores(page.snippets)
    album = Album(path.parent / "figures")
    charts = []
    if eer is not None:
        drawn = media_plots.det_figure(labels, scores, eer)
        alt = f"Misses against false alarms; equal error rate {percent(eer)} percent"
        charts.append(("Misses against false alarms", album.chart(drawn, "det", alt)))
    drawn = media_plots.probability_figure(labels, scores)
    alt = "Histograms of the probability of media, of live and of media snippets"
    charts.append(("What it says of live and of media", album.chart(drawn, "probabilities", alt)))
    if (drawn := plots.curve_figure(page.curve)) is not None:
        charts.append(("Training", album.chart(drawn, "training", "Training loss by step")))
    text = template("media.html.jinja").render(
        page=page,
        headline=headline(page),
        charts=charts,
        streams=[(view, *_shown(album, view)) for view in page.streams],
        panels=media_plots,
    )
    return write_text(path, text)


def headline(page: Page) -> str:
    """How often it errs, in words."""
    eer = error_rate(page.snippets)
    labels, scores = _labels_and_scores(page.snippets)
    wrong = float(np.mean((scores > 0.5) != labels)) if len(labels) else 0.0
    num_streams = len({snippet.stream for snippet in page.snippets})
    text = f"{count(len(labels), 'snippet')} of {count(num_streams, 'test stream')} were judged"
    text += f" ({CONTEXTS[page.context]}). "
    if eer is None:
        return text + "All of them are of one kind, so there is no equal error rate."
    return (
        f"Equal error rate {percent(eer)}%: set to miss as many media snippets as it takes live "
        f"ones for media, it errs on that share of either. At a probability of one half it errs on "
        f"{percent(wrong)}% of all. {text}"
    )


def _labels_and_scores(snippets: Sequence[Snippet]) -> tuple[np.ndarray, np.ndarray]:
    return (
        np.array([snippet.label for snippet in snippets], int),
        np.array([snippet.score for snippet in snippets], float),
    )


def _shown(album: Album, view: StreamView) -> tuple[object, str]:
    """A stream's picture and its sound, embedded."""
    alt = f"Spectrogram of {view.name}, its passages, and the probability of media by snippet"
    picture = album.image(media_plots.stream_figure(view), f"stream_{view.name}", alt)
    return picture, figures.data_uri(view.audio, view.audio_type)
