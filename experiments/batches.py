"""Batches of windows: in an order that the seed and the step alone decide."""

from collections.abc import Mapping
from functools import lru_cache
from itertools import count

import jax
import numpy as np

from audio.windows import Windows
from experiments.errors import ConfigError
from experiments.processes import gather

# A bin that never changes (a band above the recording's bandwidth) still gets a scale, in dB.
MIN_STD = 0.1
# Frames summed at a time, so that doubles of a large data set are never all alive.
CHUNK = 65536


def moments(frames: np.ndarray) -> dict[str, np.ndarray]:
    """Mean and standard deviation of each mel bin over the training frames of all processes."""
    mean, std = _moments(_sums(frames))
    return {"mean": mean, "std": std}


def window_moments(windows: Windows) -> dict[str, np.ndarray]:
    """Mean and standard deviation of each bin of each frame of a window, over all processes."""
    places = range(windows.num_frames)
    sums = [_sums(windows.frames[windows.starts + place]) for place in places]
    mean, std = _moments(np.stack(sums, 1))
    return {"window_mean": mean, "window_std": std}


def _sums(frames: np.ndarray) -> np.ndarray:
    """How many frames, their sum and the sum of their squares, (3, mels)."""
    sums = np.zeros((3, frames.shape[1]))
    for start in range(0, len(frames), CHUNK):
        x = frames[start : start + CHUNK].astype(np.float64)
        sums += np.stack([np.full(x.shape[1], len(x)), x.sum(0), np.square(x).sum(0)])
    return sums


def _moments(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation from this process's sums, (3, ...)."""
    count, total, squares = gather(sums).sum(0)
    mean = total / count
    std = np.sqrt(np.maximum(squares / count - mean**2, 0))
    return mean.astype(np.float32), np.maximum(std, MIN_STD).astype(np.float32)


class Batches:
    """Shuffled windows, a fresh permutation an epoch, equally many on every process.

    Args:
        windows: this process's share of the training windows.
        ids: (num_clips,) the id of each clip, as an index.
        batch_size: windows in a batch over all processes.
        seed: of the permutations.
        targets: what else a batch says of its windows' clips, by name: (num_clips, ...) each.
        steps_per_epoch: batches from one permutation, whose windows come again where they do not
            fill them; None for as many as they fill.

    Raises:
        ConfigError: the batch cannot be divided among the devices.
    """

    def __init__(
        self,
        windows: Windows,
        ids: np.ndarray,
        batch_size: int,
        seed: int,
        targets: Mapping[str, np.ndarray] | None = None,
        steps_per_epoch: int | None = None,
    ) -> None:
        if batch_size % jax.device_count():
            raise ConfigError(
                f"train.batch_size={batch_size} must be a multiple of the {jax.device_count()} "
                "devices"
            )
        self.windows = windows
        self.ids = ids.astype(np.int32)[windows.clip]
        self.targets = {name: each[windows.clip] for name, each in (targets or {}).items()}
        self.local_size = batch_size // jax.process_count()
        self.seed = seed
        fewest = int(gather(np.array(len(windows))).min())
        self.steps_per_epoch = steps_per_epoch or max(1, fewest // self.local_size)
        self._epoch = lru_cache(maxsize=2)(self._permutation)

    def chosen(self, first: int, num_steps: int) -> np.ndarray:
        """Which windows the batches of some steps hold: (num_steps, local batch)."""
        rows, epoch, position = [], *divmod(first, self.steps_per_epoch)
        for each in count(epoch):
            rows.append(self._epoch(each)[position:])
            position = 0
            if sum(map(len, rows)) >= num_steps:
                return np.concatenate(rows)[:num_steps]
        raise AssertionError

    def labels(self, chosen: np.ndarray) -> dict[str, np.ndarray]:
        """What a batch says of the chosen windows: `id` and targets, (*chosen.shape, ...) each."""
        every = {"id": self.ids, **self.targets}
        return {name: each[chosen] for name, each in every.items()}

    def _permutation(self, epoch: int) -> np.ndarray:
        rng = np.random.default_rng([self.seed, epoch, jax.process_index()])
        order = rng.permutation(len(self.windows))
        return np.resize(order, (self.steps_per_epoch, self.local_size))
