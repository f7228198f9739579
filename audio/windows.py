"""Windows: runs of consecutive frames of one clip, found but not copied."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np


@dataclass(frozen=True)
class Windows:
    """Where the windows of a set of clips lie in its frames.

    Attributes:
        frames: (total_frames, num_mels) dB, all clips' frames end to end.
        starts: (num_windows,) index of each window's first frame.
        clip: (num_windows,) which clip each window belongs to.
        num_frames: frames in a window.
    """

    frames: np.ndarray
    starts: np.ndarray
    clip: np.ndarray
    num_frames: int

    def __len__(self) -> int:
        return len(self.starts)

    def gather(self, which: np.ndarray) -> np.ndarray:
        """The chosen windows, (*which.shape, num_frames, num_mels)."""
        return self.frames[self.starts[which][..., None] + np.arange(self.num_frames)]


def find_windows(frames: np.ndarray, offsets: np.ndarray, num_frames: int, hop: int) -> Windows:
    """Every window of `num_frames` frames, `hop` frames apart, that lies within one clip.

    Args:
        frames: (total_frames, num_mels).
        offsets: (num_clips + 1,) where each clip's frames begin, and where the last ends.
        num_frames: frames in a window; a clip that is shorter has no windows.
        hop: frames from one window's start to the next.
    """
    runs = [np.arange(start, stop - num_frames + 1, hop) for start, stop in pairwise(offsets)]
    clip = np.repeat(np.arange(len(runs)), [len(run) for run in runs])
    starts = np.concatenate(runs) if runs else np.zeros(0, np.int64)
    return Windows(frames, starts.astype(np.int64), clip, num_frames)
