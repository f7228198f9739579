"""From the scores of a clip's windows to the score of the clip."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def _top10(scores: np.ndarray) -> float:
    """Mean of the strangest tenth of the windows, at least one window."""
    k = max(1, round(len(scores) / 10))
    return float(np.mean(np.partition(scores, -k)[-k:]))


POOLS: dict[str, Callable[[np.ndarray], float]] = {
    "mean": lambda scores: float(np.mean(scores)),
    "max": lambda scores: float(np.max(scores)),
    "median": lambda scores: float(np.median(scores)),
    "top10": _top10,
}


def pool(scores: np.ndarray, kind: str = "mean") -> float:
    """Pools window scores into one clip score.

    The mean suits faults that last (an unbalanced fan), `max` and `top10` those that come and go
    (a valve that sticks once): over hundreds of windows a mean would drown them.

    Args:
        scores: (n,) window scores, higher is stranger.
        kind: `mean`, `max`, `median` or `top10` (mean of the strangest tenth).

    Returns:
        The clip's score, computed in float64.

    Raises:
        ValueError: Unknown kind, no windows, or not one axis.
    """
    if kind not in POOLS:
        raise ValueError(f"unknown pooling {kind!r}: choose one of {', '.join(POOLS)}")
    scores = np.asarray(scores, dtype=np.float64)
    if scores.ndim != 1 or not scores.size:
        raise ValueError(f"window scores must have shape (n,) with n >= 1, not {scores.shape}")
    return POOLS[kind](scores)
