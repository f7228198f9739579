"""Where a clip is strange: its spectrogram beside the surprise of every time-frequency bin.

The surprise of a bin is its negative log-density, -log p(x[t, f] | what the model saw), in nats.
A frame's strip beneath is its mean over the bins of the frame: *when* the clip is strange.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scoring.rows import ScoreRow
from scoring.sound import INK, LINE, PANEL, QUIET, colour_bar, draw_sound, mel_ticks

# Figure fractions. The page lays its playhead over the two panels by these same numbers.
LEFTS, WIDTH = (0.06, 0.556), 0.38
TOP, BOTTOM = 0.905, 0.125
_IMAGE = (0.385, 0.52)  # bottom, height
_STRIP = (BOTTOM, 0.205)
_BAR = 0.008


@dataclass(frozen=True)
class StrangeClip:
    """A clip worth looking at.

    Attributes:
        row: Its score row.
        logmel: (frames, mels) power in dB.
        nll: (frames, mels) surprise; NaN where a bin was not scored (edge frames).
        hop_seconds: Time from one frame to the next; frame i is centred on i * hop_seconds.
        mel_hz: (mels,) centre frequencies in Hz, rising.
        audio: The clip as a file a browser plays, or None.
        audio_type: Its media type, such as `audio/wav`.
        unit: What the surprise is measured in: nats of a likelihood, or else some distance.

    Raises:
        ValueError: Shapes that do not fit, naming the clip.
    """

    row: ScoreRow
    logmel: np.ndarray
    nll: np.ndarray
    hop_seconds: float
    mel_hz: np.ndarray
    audio: bytes | None = None
    audio_type: str = "audio/wav"
    unit: str = "nats"

    def __post_init__(self):
        shape, mels = np.shape(self.logmel), np.shape(self.mel_hz)
        if len(shape) != 2 or 0 in shape or np.shape(self.nll) != shape or mels != shape[1:]:
            raise ValueError(
                f"clip {self.row.name!r}: logmel {shape} and nll {np.shape(self.nll)} must both be "
                f"(frames, mels), mel_hz {mels} (mels,)"
            )

    @property
    def extent(self) -> tuple[float, float]:
        """Start and end of the drawn time in seconds; half a hop before and after the frames."""
        return -0.5 * self.hop_seconds, (len(self.logmel) - 0.5) * self.hop_seconds


def mean_over(surprise: np.ndarray, axis: int) -> np.ndarray:
    """Mean over an axis, leaving out NaN; NaN where nothing is left."""
    finite = np.isfinite(surprise)
    count = finite.sum(axis)
    total = np.where(finite, surprise, 0.0).sum(axis)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def colour_limits(images: Sequence[np.ndarray], lowest: float = 1.0) -> tuple[float, float]:
    """The lowest-th and 99.5th percentile over some images together, NaN left out.

    A few extreme bins would else leave everything else one dark colour; what lies beyond is drawn
    in the end colours. Shared limits make clips comparable by eye.
    """
    values = np.concatenate([image[np.isfinite(image)].ravel() for image in images])
    if not values.size:
        return 0.0, 1.0
    low, high = np.percentile(values, (lowest, 99.5))
    return (float(low), float(high)) if high > low else (float(low) - 0.5, float(low) + 0.5)


@dataclass(frozen=True)
class Limits:
    """Colour and axis limits, (low, high), which some clips share.

    Attributes:
        db: Of the spectrograms, dB.
        nats: Of the maps, nats.
    """

    db: tuple[float, float]
    nats: tuple[float, float]


def shared_limits(clips: Sequence[StrangeClip]) -> Limits:
    """Limits that suit some clips together, so that they compare by eye."""
    return Limits(
        db=colour_limits([clip.logmel for clip in clips]),
        # From the median up: what is less surprising than most says nothing, and stays dark.
        nats=colour_limits([clip.nll for clip in clips], 50.0),
    )


def strangest_spot(clip: StrangeClip) -> tuple[float, float] | None:
    """Time (s) and frequency (Hz) of the most surprising patch, or None if nothing was scored.

    A patch is 5 frames by 5 bins, the mean of its scored bins, so that one freak bin does not win.
    """
    scored = np.isfinite(clip.nll)
    if not scored.any():
        return None
    total = _box_sum(np.where(scored, clip.nll, 0.0))
    count = _box_sum(scored.astype(np.float64))
    # Only where at least half of the largest patch was scored: at an edge one bin could be all.
    patches = np.where(2 * count >= count.max(), total / np.maximum(count, 1), -np.inf)
    frame, mel = np.unravel_index(np.argmax(patches), patches.shape)
    return float(frame * clip.hop_seconds), float(clip.mel_hz[mel])


def _box_sum(image: np.ndarray, reach: int = 2) -> np.ndarray:
    """Sums over (2 reach + 1)^2 neighbours, zeros outside; shaped as `image`."""
    for axis in (0, 1):
        padded = np.pad(image, [(reach, reach) if a == axis else (0, 0) for a in (0, 1)])
        windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis)
        image = windows.sum(-1)
    return image


def clip_figure(clip: StrangeClip, limits: Limits) -> Figure:
    """Spectrogram beside anomaly map on shared axes, over strips of level and of surprise.

    Args:
        clip: What to draw.
        limits: From `shared_limits` of the clips it is to be compared with.
    """
    figure = Figure(figsize=(11, 3.5), facecolor=PANEL)
    images = [figure.add_axes((left, _IMAGE[0], WIDTH, _IMAGE[1])) for left in LEFTS]
    strips = [figure.add_axes((left, _STRIP[0], WIDTH, _STRIP[1])) for left in LEFTS]
    _image(images[0], clip, clip.logmel, limits.db, "cividis", "power, dB")
    images[0].set_title("what was heard", loc="left", color=INK, size=9.5, pad=6)
    images[0].set_ylabel("Hz", color=QUIET, size=8.5, labelpad=2)
    mel_ticks(images[0], clip.mel_hz)
    level = mean_over(np.asarray(clip.logmel, dtype=np.float64), axis=1)
    _strip(strips[0], clip, level, "mean dB", "#8fa3b8")
    if not np.isfinite(clip.nll).any():
        images[1].text(0.5, 0.5, "judged as a whole", color=QUIET, size=9.5, ha="center")
        images[1].axis("off")
        strips[1].axis("off")
        return figure
    _image(images[1], clip, clip.nll, limits.nats, "inferno", f"surprise, {clip.unit}")
    images[1].sharex(images[0])
    images[1].sharey(images[0])
    images[1].set_title("where it is strange", loc="left", color=INK, size=9.5, pad=6)
    surprise = mean_over(np.asarray(clip.nll, dtype=np.float64), axis=1)
    _strip(strips[1], clip, surprise, f"mean {clip.unit}", "#f7a13c")
    return figure


def _image(
    axes: Axes,
    clip: StrangeClip,
    image: np.ndarray,
    limits: tuple[float, float],
    colours: str,
    unit: str,
) -> None:
    """One (frames, mels) picture, time to the right, frequency up, with its colour bar."""
    drawn = draw_sound(axes, image, clip.extent, limits, colours)
    axes.tick_params(labelbottom=False)
    box = axes.get_position()
    colour_bar(drawn, (box.x1 + 0.006, box.y0, _BAR, box.height), unit)


def _strip(
    axes: Axes,
    clip: StrangeClip,
    values: np.ndarray,
    unit: str,
    colour: str,
) -> None:
    """A quantity (frames,) over time, under its picture, over all of its own range."""
    seconds = np.arange(len(values)) * clip.hop_seconds
    axes.set_facecolor(PANEL)
    finite = values[np.isfinite(values)]
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
    # At least half a unit, so that a flat line is drawn flat.
    span = max(high - low, 0.5)
    floor = low - 0.05 * span
    axes.fill_between(seconds, floor, values, color=colour, alpha=0.25, linewidth=0, step="mid")
    axes.step(seconds, values, color=colour, linewidth=1.0, where="mid")
    axes.set(xlim=clip.extent, ylim=(floor, low + 1.15 * span))
    axes.set_xlabel("time, s", color=QUIET, size=8.5, labelpad=1)
    axes.set_ylabel(unit, color=QUIET, size=8, labelpad=2)
    axes.tick_params(colors=QUIET, labelsize=8, length=2)
    axes.locator_params(axis="y", nbins=3)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(LINE)
