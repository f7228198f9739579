"""HTK's mel filters, as VGGish has them: triangles over mel, each of height one.

librosa's, which PANNs takes, are triangles over Hz. A constant of the compiled program.
"""

from typing import Any

import numpy as np
from jaxtyping import Float


def htk_filters(
    num_mels: int, num_points: int, sample_rate: int, low: float, high: float
) -> Float[np.ndarray, "bins mels"]:
    """Filters of height one on HTK's scale, linear in mel, deaf to 0 Hz.

    Args:
        num_mels: mel bands.
        num_points: of the Fourier transform, which has `num_points // 2 + 1` bins.
        sample_rate: Hz.
        low: Hz, where the first band begins.
        high: Hz, where the last one ends.
    """
    edges = np.linspace(_htk_mel(low), _htk_mel(high), num_mels + 2)
    triangles = _triangles(_htk_mel(_bins(num_points, sample_rate)), edges)
    triangles[0] = 0.0
    return triangles.astype(np.float32)


def _bins(num_points: int, sample_rate: int) -> np.ndarray:
    """The frequencies of the bins, (num_points // 2 + 1,) Hz."""
    return np.linspace(0.0, sample_rate / 2, num_points // 2 + 1)


def _triangles(x: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Band `i` rises from `edges[i]` to one at `edges[i + 1]` and falls to `edges[i + 2]`."""
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    rise = (x[:, None] - low) / (centre - low)
    fall = (high - x[:, None]) / (high - centre)
    return np.maximum(0.0, np.minimum(rise, fall))


def _htk_mel(hz: Any) -> Any:
    return 1127.0 * np.log1p(hz / 700.0)
