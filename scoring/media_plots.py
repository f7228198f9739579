"""Figures of a detector of media: its errors, its probabilities, and what it says of a stream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.special import ndtri
from sklearn.metrics import det_curve

from scoring.figures import BLUE, GRID, INK, TRAIN, VERMILION, strip_axes
from scoring.maps import colour_limits
from scoring.sound import LINE, PANEL, QUIET, colour_bar, draw_sound, mel_ticks

# Figure fractions. The page lays its playhead over the panels by these same numbers.
LEFT, WIDTH = 0.075, 0.87
TOP, BOTTOM = 0.965, 0.125
_SOUND, _TRUTH, _SAID = (0.47, 0.495), (0.395, 0.055), (BOTTOM, 0.245)  # bottom, height
COLOURS = {"live": "#3f8fc4", "media": "#f0803c"}
BINS = 40
_RATES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6)


@dataclass(frozen=True)
class StreamView:
    """A test stream to look at and to listen to.

    Attributes:
        name: Its file's name.
        logmel: (frames, mels) power in dB.
        hop_seconds: Time from one frame to the next.
        mel_hz: (mels,) centre frequencies in Hz, rising.
        passages: (onset, offset, kind) of each, seconds and `live` or `media`.
        probabilities: (snippets,) of media.
        snippet_seconds: Length of a snippet.
        audio: The stream as a file a browser plays.
        audio_type: Its media type.
    """

    name: str
    logmel: np.ndarray
    hop_seconds: float
    mel_hz: np.ndarray
    passages: Sequence[tuple[float, float, str]]
    probabilities: np.ndarray
    snippet_seconds: float
    audio: bytes
    audio_type: str = "audio/flac"

    @property
    def extent(self) -> tuple[float, float]:
        """Start and end of the drawn time in seconds; half a hop before and after the frames."""
        return -0.5 * self.hop_seconds, (len(self.logmel) - 0.5) * self.hop_seconds


def stream_figure(view: StreamView) -> Figure:
    """A stream's spectrogram over what is heard when, over the probability of every snippet."""
    figure = Figure(figsize=(11, 3.6), facecolor=PANEL)
    sound, truth, said = (
        figure.add_axes((LEFT, bottom, WIDTH, height)) for bottom, height in (_SOUND, _TRUTH, _SAID)
    )
    drawn = draw_sound(sound, view.logmel, view.extent, colour_limits([view.logmel]), "cividis")
    mel_ticks(sound, view.mel_hz)
    sound.tick_params(labelbottom=False)
    colour_bar(drawn, (LEFT + WIDTH + 0.008, _SOUND[0], 0.008, _SOUND[1] - 0.06), "dB")
    for onset, offset, kind in view.passages:
        truth.axvspan(onset, offset, color=COLOURS[kind], linewidth=0)
        if offset - onset > 0.06 * view.extent[1]:
            truth.text(
                onset + 0.3, 0.47, kind, color=PANEL, size=8.5, va="center", transform=_over(truth)
            )
        truth.axvline(onset, color=PANEL, linewidth=1.2)
    truth.set(xlim=view.extent, ylim=(0, 1))
    truth.axis("off")
    truth.text(
        -0.008,
        0.45,
        "heard",
        color=QUIET,
        size=8.5,
        ha="right",
        va="center",
        transform=truth.transAxes,
    )
    _said(said, view)
    return figure


def _over(axes: Axes):
    """Time across, the height of the axes up."""
    return axes.get_xaxis_transform()


def _said(axes: Axes, view: StreamView) -> None:
    """The probability of each snippet, a bar as wide as it is long."""
    starts = np.arange(len(view.probabilities)) * view.snippet_seconds
    axes.set_facecolor(PANEL)
    axes.bar(
        starts,
        view.probabilities,
        view.snippet_seconds,
        align="edge",
        color=[COLOURS["media" if p > 0.5 else "live"] for p in view.probabilities],
        edgecolor=PANEL,
        linewidth=1.2,
    )
    axes.axhline(0.5, color=QUIET, linewidth=0.8, linestyle=(0, (2, 3)))
    axes.set(xlim=view.extent, ylim=(0, 1.03))
    axes.set_yticks((0, 0.5, 1), ("0", "0.5", "1"))
    axes.set_ylabel("P(media)", color=QUIET, size=8.5, labelpad=4)
    axes.xaxis.set_major_formatter("{x:g} s")
    axes.tick_params(colors=QUIET, labelsize=8, length=2)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(LINE)


def probability_figure(labels: np.ndarray, scores: np.ndarray) -> Figure:
    """Histograms of the probability of media, live snippets below media ones.

    Args:
        labels: (n,) 1 for media, 0 for live.
        scores: (n,) probabilities.
    """
    figure = Figure(figsize=(5.0, 2.6), layout="constrained")
    axes = figure.add_subplot()
    edges = np.linspace(0, 1, BINS + 1)
    for floor, label, colour in ((0, 0, BLUE), (1, 1, VERMILION)):
        counts, _ = np.histogram(scores[labels == label], edges)
        heights = 0.85 * counts / max(counts.max(), 1)
        axes.bar(edges[:-1], heights, 1 / BINS, floor, align="edge", color=colour, linewidth=0)
        axes.axhline(floor, color=GRID, linewidth=0.8)
    strip_axes(axes)
    axes.spines["left"].set_visible(False)
    axes.set(xlim=(0, 1), ylim=(0, 2), xlabel="probability of media")
    counts = [int((labels == label).sum()) for label in (0, 1)]
    axes.set_yticks((0.35, 1.35), (f"live · {counts[0]}", f"media · {counts[1]}"))
    return figure


def det_figure(labels: np.ndarray, scores: np.ndarray, eer: float) -> Figure:
    """Misses against false alarms on normal deviates' axes (Martin et al., 1997).

    Args:
        labels: (n,) 1 for media, 0 for live; both occur.
        scores: (n,) higher where media is more likely.
        eer: where the curve meets the diagonal, which is marked.
    """
    false_alarms, misses, _ = det_curve(labels, scores)
    # A rate of zero or one lies at infinity: half a snippet off is drawn.
    live, media = (labels == 0).sum(), (labels == 1).sum()
    x = ndtri(np.clip(false_alarms, 0.5 / live, 1 - 0.5 / live))
    y = ndtri(np.clip(misses, 0.5 / media, 1 - 0.5 / media))
    figure = Figure(figsize=(3.5, 3.5), layout="constrained")
    axes = figure.add_subplot(aspect="equal")
    ends = ndtri(np.array((_RATES[0] / 2, 0.7)))
    axes.plot(ends, ends, color=TRAIN, linewidth=0.9, linestyle=(0, (2, 3)))
    axes.plot(x, y, color=BLUE, linewidth=1.8)
    if 0 < eer < 1:
        at = float(ndtri(eer))
        axes.plot(at, at, "o", color=VERMILION, markersize=5)
        axes.annotate(
            f"{100 * eer:.1f}%", (at, at), (8, 4), textcoords="offset points", color=INK, size=9
        )
    strip_axes(axes, grid="both")
    axes.set(xlim=ends, ylim=ends, xlabel="live taken for media, %", ylabel="media missed, %")
    ticks = ndtri(np.array(_RATES)), [f"{100 * rate:g}" for rate in _RATES]
    axes.set_xticks(*ticks)
    axes.set_yticks(*ticks)
    return figure
