"""The mel filters of the two front ends, in NumPy: constants of the compiled program.

PANNs takes librosa's (Slaney's scale, triangles over Hz, each of unit area), VGGish its own (HTK's
scale, triangles over mel, each of height one).
"""

from typing import Any

import numpy as np
from jaxtyping import Float

LINEAR_HZ_PER_MEL = 200.0 / 3.0
LOG_FROM_HZ = 1000.0
LOG_FROM_MEL = LOG_FROM_HZ / LINEAR_HZ_PER_MEL
LOG_STEP = np.log(6.4) / 27.0  # 27 mel for every factor of 6.4


def slaney_filters(
    num_mels: int, num_points: int, sample_rate: int, low: float, high: float
) -> Float[np.ndarray, "bins mels"]:
    """Filters of unit area on the scale of Slaney's Auditory Toolbox (1998), as librosa's are.

    Args:
        num_mels: mel bands.
        num_points: of the Fourier transform, which has `num_points // 2 + 1` bins.
        sample_rate: Hz.
        low: Hz, where the first band begins.
        high: Hz, where the last one ends.
    """
    mels = np.linspace(_slaney_mel(low), _slaney_mel(high), num_mels + 2)
    edges = _slaney_hz(mels)
    triangles = _triangles(_bins(num_points, sample_rate), edges)
    return (triangles * (2.0 / (edges[2:] - edges[:-2]))).astype(np.float32)


def htk_filters(
    num_mels: int, num_points: int, sample_rate: int, low: float, high: float
) -> Float[np.ndarray, "bins mels"]:
    """Filters of height one on HTK's scale, linear in mel, deaf to 0 Hz; arguments as above."""
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


def _slaney_mel(hz: float) -> float:
    if hz < LOG_FROM_HZ:
        return hz / LINEAR_HZ_PER_MEL
    return LOG_FROM_MEL + np.log(hz / LOG_FROM_HZ) / LOG_STEP


def _slaney_hz(mel: np.ndarray) -> np.ndarray:
    above = LOG_FROM_HZ * np.exp(LOG_STEP * (mel - LOG_FROM_MEL))
    return np.where(mel < LOG_FROM_MEL, LINEAR_HZ_PER_MEL * mel, above)


def _htk_mel(hz: Any) -> Any:
    return 1127.0 * np.log1p(hz / 700.0)
