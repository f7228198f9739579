"""Clips' frames end to end."""

import numpy as np


class Rows:
    """Takes clips' frames one after another, in memory that need not be doubled to grow.

    Args:
        num_clips: at most so many come.
        num_mels: width of a frame.
    """

    def __init__(self, num_clips: int, num_mels: int) -> None:
        self.num_clips = num_clips
        self.rows = np.empty((0, num_mels), np.float32)
        self.lengths: list[int] = []
        self.total = 0

    def append(self, frames: np.ndarray) -> None:
        """Takes one clip's frames, (F, num_mels)."""
        stop = self.total + len(frames)
        if stop > len(self.rows):
            self._grow(stop, len(frames))
        self.rows[self.total : stop] = frames
        self.lengths.append(len(frames))
        self.total = stop

    def _grow(self, needed: int, length: int) -> None:
        if not self.total:  # most sets have clips of one length
            self.rows = np.empty((self.num_clips * length, self.rows.shape[1]), np.float32)
            return
        capacity = max(needed, len(self.rows) * 5 // 4)
        self.rows.resize((capacity, self.rows.shape[1]), refcheck=False)

    def finish(self, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns frames and offsets, with the clips in another order than they came in."""
        self.rows.resize((self.total, self.rows.shape[1]), refcheck=False)
        starts = np.concatenate([[0], np.cumsum(self.lengths)]).astype(np.int64)
        if (order == np.arange(len(order))).all():
            return self.rows, starts
        rows = np.concatenate([self.rows[starts[i] : starts[i + 1]] for i in order])
        lengths = np.array(self.lengths, np.int64)[order]
        return rows, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
