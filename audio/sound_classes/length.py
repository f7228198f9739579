"""Clips of one length, whatever length they came in."""

import numpy as np


def of_length(frames: np.ndarray, num_frames: int) -> np.ndarray:
    """A log-mel cut or filled up to so many frames, (num_frames, mels).

    A longer one loses its end. A shorter one is followed by itself, as often as it takes: silence
    that no microphone has recorded would tell it by its length.

    Args:
        frames: (any, mels) dB, one frame or more.
        num_frames: how many there are to be.
    """
    return frames[np.arange(num_frames) % len(frames)]
