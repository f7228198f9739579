"""Where the sound is in a recording: an energy gate."""

import numpy as np

FRAME = 0.02  # seconds
SHORTEST = 0.06  # seconds; a run that is shorter is a click


def active_runs(
    signal: np.ndarray, sample_rate: int, gate_db: float, gap: float
) -> list[tuple[int, int]]:
    """The runs of a recording that are louder than a gate, which hangs below its loudest frame.

    Args:
        signal: (samples,).
        sample_rate: Hz.
        gate_db: how far below, dB of a frame's power.
        gap: runs that are no further apart than this are one, seconds.

    Returns:
        (first, after) sample of each run, in order; none of silence.
    """
    size = max(round(FRAME * sample_rate), 1)
    padded = np.pad(signal.astype(np.float64), (0, -len(signal) % size))
    power = np.square(padded).reshape(-1, size).mean(1)
    if not power.max(initial=0) > 0:
        return []
    (loud,) = np.nonzero(power >= power.max() * 10 ** (-gate_db / 10))
    breaks = np.flatnonzero(np.diff(loud) > 1 + gap / FRAME)
    firsts, lasts = loud[np.r_[0, breaks + 1]], loud[np.r_[breaks, len(loud) - 1]]
    runs = zip(firsts * size, np.minimum((lasts + 1) * size, len(signal)), strict=True)
    return [(int(a), int(b)) for a, b in runs if b - a >= SHORTEST * sample_rate]
