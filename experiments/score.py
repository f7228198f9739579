"""From a trained method to the scores of clips, and to where in a clip the score comes from."""

from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice
from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from audio.windows import Windows
from experiments.errors import ConfigError
from experiments.method import Batch, Method, Variables
from experiments.progress import Progress
from scoring.pooling import POOLS, pool


def check_pooling(pooling: str) -> None:
    """Checks `score.pooling` before hours of training rest on it.

    Raises:
        ConfigError: no such pooling.
    """
    if pooling not in POOLS:
        raise ConfigError(f"score.pooling={pooling!r} is not known: use {', '.join(POOLS)}")


def score_clips(
    method: Method,
    variables: Variables,
    windows: Windows,
    ids: np.ndarray,
    pooling: str,
    batch_size: int,
    task: str,
) -> np.ndarray:
    """One score for every clip.

    Args:
        method: scores windows.
        variables: what it learned.
        windows: of all the clips.
        ids: (num_clips,) the id of each clip, as an index.
        pooling: how a clip's window scores become one (`scoring.pooling`).
        batch_size: windows scored at a time.
        task: what the progress bar is called.

    Returns:
        (num_clips,) float64, NaN for a clip without windows.
    """
    scores, done = np.zeros(len(windows), np.float32), 0
    with Progress(task, len(windows), "window") as progress:
        for part in each_chunk(method.score, variables, windows, ids, batch_size):
            scores[done : done + len(part)] = part
            done += len(part)
            progress.update(done)
    pooled = np.full(len(ids), np.nan)
    for clip in np.unique(windows.clip):
        pooled[clip] = pool(scores[windows.clip == clip], pooling)
    return pooled


def anomaly_map(
    method: Method, variables: Variables, windows: Windows, ids: np.ndarray, batch_size: int
) -> np.ndarray:
    """How strange every bin of one clip is, (frames, mels).

    A frame that several windows explain gets their mean; one that none does is NaN.
    """
    total = np.zeros(windows.frames.shape, np.float64)
    count = np.zeros(windows.frames.shape, np.int32)
    first = 0
    for strange in each_chunk(method.explain, variables, windows, ids, batch_size):
        starts = windows.starts[first : first + len(strange)]
        for frame in range(windows.num_frames):
            known = ~np.isnan(strange[:, frame])
            total[starts + frame] += np.where(known, strange[:, frame], 0)
            count[starts + frame] += known
        first += len(strange)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)


@cache
def _local_shardings() -> tuple[NamedSharding, NamedSharding]:
    """Over this process's own devices: one copy on each, and a batch divided among them."""
    devices = jax.local_devices()
    mesh = jax.make_mesh((len(devices),), ("data",), devices=devices, axis_types=(AxisType.Auto,))
    return NamedSharding(mesh, PartitionSpec()), NamedSharding(mesh, PartitionSpec("data"))


@cache
def _jit(function: Callable[[Variables, Batch], Any]) -> Callable:
    return jax.jit(function)


def each_chunk(
    function: Callable[[Variables, Batch], Any],
    variables: Variables,
    windows: Windows,
    ids: np.ndarray,
    batch_size: int,
) -> Iterator[Any]:
    """What a function gives for every window, chunk by chunk, on this process's devices.

    It gives an array with a row for each, or a dictionary of such.
    """
    everywhere, divided = _local_shardings()
    # By way of the host: trained variables lie on the devices of all processes.
    variables = jax.device_put(jax.device_get(variables), everywhere)
    for batch, size in _chunks(windows, ids, batch_size):
        made = _jit(function)(variables, jax.device_put(batch, divided))
        yield jax.tree.map(lambda each: np.asarray(each)[:size], made)  # noqa: B023


def compile_chunks(
    function: Callable[[Variables, Batch], Any],
    variables: Variables,
    windows: Windows,
    ids: np.ndarray,
    batch_size: int,
) -> None:
    """Compiles what `each_chunk` will run, so that its first chunk takes no longer than others."""
    everywhere, divided = _local_shardings()
    variables = jax.device_put(jax.device_get(variables), everywhere)
    for batch, _ in islice(_chunks(windows, ids, batch_size), 1):
        _jit(function).lower(variables, jax.device_put(batch, divided)).compile()


def _chunks(windows: Windows, ids: np.ndarray, batch_size: int) -> Iterator[tuple[Batch, int]]:
    """Batches of one size, the last filled up with the first window, and their true sizes."""
    devices = jax.local_device_count()
    batch_size = -(-batch_size // devices) * devices
    for start in range(0, len(windows), batch_size):
        size = min(batch_size, len(windows) - start)
        chosen = np.zeros(batch_size, np.int64)
        chosen[:size] = np.arange(start, start + size)
        ids_of = ids[windows.clip[chosen]].astype(np.int32)
        yield {"x": windows.gather(chosen), "id": ids_of}, size
