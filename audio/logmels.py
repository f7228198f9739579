"""The log-mels of a set of clips, end to end in one array."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from audio.clips import Clip


@dataclass(frozen=True)
class LogMels:
    """The log-mels of a set of clips, end to end. Not to be written to: a cache may share them.

    Attributes:
        clips: the clips, bad ones left out.
        frames: (total_frames, num_mels) float32 dB; may be a memory map.
        offsets: (num_clips + 1,) int64, where each clip's frames begin and the last's end.
    """

    clips: tuple[Clip, ...]
    frames: np.ndarray
    offsets: np.ndarray

    @property
    def num_frames(self) -> np.ndarray:
        """Frames in each clip, (num_clips,)."""
        return np.diff(self.offsets)

    def clip(self, i: int) -> np.ndarray:
        """A view of one clip's frames, (num_frames[i], num_mels)."""
        return self.frames[self.offsets[i] : self.offsets[i + 1]]


def join(parts: Sequence[LogMels]) -> LogMels:
    """Several sets of clips as one, in memory; a single one as it is."""
    if len(parts) == 1:
        return parts[0]
    lengths = np.concatenate([part.num_frames for part in parts])
    return LogMels(
        tuple(clip for part in parts for clip in part.clips),
        np.concatenate([part.frames for part in parts]),
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
    )


def subset(logmels: LogMels, which: Iterable[int]) -> LogMels:
    """Some of a set's clips, in memory."""
    chosen = list(which)
    return assemble([logmels.clips[i] for i in chosen], [logmels.clip(i) for i in chosen])


def assemble(clips: Sequence[Clip], frames: Sequence[np.ndarray]) -> LogMels:
    """A set from each clip's frames, one clip or more."""
    offsets = np.cumsum([0, *map(len, frames)]).astype(np.int64)
    return LogMels(tuple(clips), np.concatenate(frames).astype(np.float32), offsets)
