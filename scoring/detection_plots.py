"""A clip, where its event is, and what each detector marked in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scoring.detection import Span
from scoring.figures import GREEN, ORANGE, PINK, SKY, literal
from scoring.maps import colour_limits
from scoring.sound import INK, LINE, PANEL, QUIET, colour_bar, draw_sound, mel_ticks

COLOURS = (SKY, ORANGE, PINK, "#f0e442")
_WIDTH, _SOUND, _LANE, _ABOVE, _BELOW = 11.0, 2.2, 0.42, 0.3, 0.36  # inches
# Figure fractions; the page lays its playhead over the panels by these.
LEFT, SHARE = 0.115, 0.835


@dataclass(frozen=True)
class Lane:
    """What one detector says of a clip.

    Attributes:
        marks: (onset, offset, score) of each event that it marks.
        curve: (steps,) probabilities over time.
        hop_seconds: from step to step.
    """

    marks: Sequence[tuple[float, float, float]]
    curve: np.ndarray
    hop_seconds: float


@dataclass(frozen=True)
class MarkedClip:
    """A clip to look at and listen to.

    Attributes:
        name: Its file's.
        logmel: (frames, mels) power in dB.
        hop_seconds: From one frame to the next.
        mel_hz: (mels,) centre frequencies in Hz, rising.
        truth: Its event's (onset, offset) in seconds, or None.
        lanes: Detector -> what it says.
        audio: A wav file, or None.
    """

    name: str
    logmel: np.ndarray
    hop_seconds: float
    mel_hz: np.ndarray
    truth: Span | None
    lanes: Mapping[str, Lane]
    audio: bytes | None

    @property
    def extent(self) -> tuple[float, float]:
        """Start and end of the drawn time in seconds; half a hop before and after the frames."""
        return -0.5 * self.hop_seconds, (len(self.logmel) - 0.5) * self.hop_seconds


def marked_figure(clip: MarkedClip) -> Figure:
    """The spectrogram over a lane for the truth and a lane for each detector."""
    num_lanes = 1 + len(clip.lanes)
    height = _ABOVE + _SOUND + num_lanes * _LANE + _BELOW
    figure = Figure(figsize=(_WIDTH, height), facecolor=PANEL)

    def panel(from_top: float, tall: float) -> Axes:
        return figure.add_axes((LEFT, 1 - (from_top + tall) / height, SHARE, tall / height))

    sound = panel(_ABOVE, _SOUND)
    drawn = draw_sound(sound, clip.logmel, clip.extent, colour_limits([clip.logmel]), "cividis")
    mel_ticks(sound, clip.mel_hz)
    sound.set_ylabel("Hz", color=QUIET, size=8.5, labelpad=2)
    sound.tick_params(labelbottom=False)
    box = sound.get_position()
    colour_bar(drawn, (box.x1 + 0.006, box.y0, 0.008, box.height), "dB")
    if clip.truth:
        for moment in clip.truth:
            sound.axvline(moment, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
    lane = panel(_ABOVE + _SOUND, _LANE)
    _lane(lane, clip.extent, "event", GREEN)
    if clip.truth:
        lane.axvspan(*clip.truth, ymin=0.2, ymax=0.8, color=GREEN)
    for i, (name, said) in enumerate(clip.lanes.items()):
        colour = COLOURS[i % len(COLOURS)]
        lane = panel(_ABOVE + _SOUND + (i + 1) * _LANE, _LANE)
        _lane(lane, clip.extent, name, colour)
        seconds = np.arange(len(said.curve)) * said.hop_seconds
        lane.fill_between(seconds, 0, said.curve, color=colour, alpha=0.35, linewidth=0)
        for onset, offset, score in said.marks:
            lane.axvspan(onset, offset, ymin=0.2, ymax=0.8, color=colour, alpha=0.95)
            text = f" {score:.2f}"
            lane.text(offset, 0.5, text, color=INK, size=7.5, va="center", clip_on=True)
    lane.tick_params(labelbottom=True, length=2)
    lane.set_xlabel("time, s", color=QUIET, size=8.5, labelpad=1)
    return figure


def _lane(axes: Axes, extent: tuple[float, float], name: str, colour: str) -> None:
    """A bare strip of time with a name at its left."""
    axes.set_facecolor(PANEL)
    axes.set(xlim=extent, ylim=(0, 1), yticks=[])
    axes.tick_params(colors=QUIET, labelsize=8, length=0, labelbottom=False)
    label = axes.text(-0.01, 0.5, literal(name), color=colour, size=9, transform=axes.transAxes)
    label.set(ha="right", va="center")
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(LINE)


def panel_box(num_lanes: int) -> tuple[float, float]:
    """Where the panels begin and end, from the figure's top, as fractions of its height."""
    height = _ABOVE + _SOUND + num_lanes * _LANE + _BELOW
    return _ABOVE / height, (_ABOVE + _SOUND + num_lanes * _LANE) / height
