"""What training does to its clips, as pictures for the report."""

from typing import Any

import numpy as np

from audio.clips import Clip
from audio.logmel import LogMel, mel_frequencies
from experiments.data import Machine, Split, speeds_of
from experiments.method import Method, Variables
from scoring.panels import Panel, panel_figure
from scoring.report import Picture

TITLE = "What augmentation does to a clip"


def augmentations(
    method: Method, variables: Variables, machine: Machine, config: Any
) -> list[Picture]:
    """One picture of a machine: a train clip, and what becomes of it. None if nothing does.

    The clips are of this process's share.
    """
    if method.illustrate is None:
        return []
    clip, partner = _pair(machine.train)
    num_frames = config.window.num_frames
    images = np.stack([_middle(machine.train, each, num_frames) for each in (clip, partner)])
    panels = [
        *method.illustrate(variables, images),
        *_copies(machine, clip, speeds_of(config), num_frames),
    ]
    if not panels:
        return []
    settings = LogMel(**config.logmel.to_dict())
    figure = panel_figure(
        [Panel("As it is", "what all scores are of", images[0]), *panels],
        settings.hop_length / settings.sample_rate,
        mel_frequencies(settings),
    )
    caption = (
        f"The middle of {clip.name}; where two clips are combined, {partner.name} is the other."
    )
    return [Picture(machine.name, caption, figure)]


def _pair(split: Split) -> tuple[Clip, Clip]:
    """The first clip, and the first of another id, or else the last."""
    clips = split.mine.clips
    others = [clip for clip in clips if clip.id != clips[0].id]
    return clips[0], [*others, clips[-1]][0]


def _middle(split: Split, clip: Clip, num_frames: int) -> np.ndarray:
    """The window in the middle of a clip, (frames, mels)."""
    frames = split.mine.clip(split.mine.clips.index(clip))
    start = (len(frames) - num_frames) // 2
    return frames[start : start + num_frames]


def _copies(
    machine: Machine, clip: Clip, speeds: tuple[float, ...], num_frames: int
) -> list[Panel]:
    return [
        Panel(
            f"Speed {speed:g}", "slower" if speed < 1 else "faster", _middle(copy, clip, num_frames)
        )
        for speed, copy in zip(speeds, machine.copies, strict=True)
        if clip in copy.mine.clips
    ]
