"""From what a network says of a clip to the events that are marked in it."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float


class Mark(NamedTuple):
    """An event that was found: from when to when, seconds, and how sure it is, 0 to 1."""

    onset: float
    offset: float
    score: float


def best_region(
    spans: Float[np.ndarray, "n 2"], scores: Float[np.ndarray, " n"], threshold: float
) -> list[Mark]:
    """The best region, if it is over the threshold."""
    best = int(np.argmax(scores))
    if scores[best] < threshold:
        return []
    onset, offset = spans[best]
    return [Mark(max(float(onset), 0.0), float(offset), float(scores[best]))]


def attended(
    frames: Float[np.ndarray, " frames"],
    clip: float,
    threshold: float,
    hop_seconds: float,
    share: float,
) -> list[Mark]:
    """What is attended to, if the clip has the event.

    It is the run of frames about the one that is attended to most, each of which has at least a
    `share` of its attention. Attention is proportional to the frames' probabilities.

    Args:
        frames: probabilities.
        clip: probability that the clip has the event.
        threshold: of the clip's probability.
        hop_seconds: from frame to frame.
        share: between 0 and 1.
    """
    if clip < threshold:
        return []
    peak = int(np.argmax(frames))
    (others,) = np.nonzero(frames < share * frames[peak])
    first = int(others[others < peak].max(initial=-1)) + 1
    after = int(others[others > peak].min(initial=len(frames)))
    return [_mark(first, after, hop_seconds, clip)]


def active_runs(
    frames: Float[np.ndarray, " frames"], threshold: float, hop_seconds: float, median: int
) -> list[Mark]:
    """Every run of frames over the threshold, smoothed by a median filter.

    Args:
        frames: probabilities.
        threshold: of a frame's probability.
        hop_seconds: from frame to frame.
        median: frames of the filter, an odd number.
    """
    active = frames >= threshold
    near = np.lib.stride_tricks.sliding_window_view(np.pad(active, median // 2), median)
    edges = np.diff(np.pad(np.median(near, axis=1) > 0.5, 1).astype(int))
    runs = zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True)
    return [_mark(int(a), int(b), hop_seconds, float(frames[a:b].max())) for a, b in runs]


def longest(marks: list[Mark]) -> list[Mark]:
    """The longest mark alone, where there is one."""
    return [max(marks, key=lambda mark: mark.offset - mark.onset)] if marks else []


def _mark(first: int, after: int, hop_seconds: float, score: float) -> Mark:
    """Frames `first` to before `after`; a frame stands for half a hop to either side."""
    onset = max((first - 0.5) * hop_seconds, 0.0)
    return Mark(onset, (after - 0.5) * hop_seconds, float(score))
