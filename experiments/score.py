"""From a trained method to the scores of clips, and to where in a clip the score comes from."""

from collections.abc import Callable, Iterator
from functools import cache

import jax
import numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from audio.windows import Windows
from experiments.methods import Batch, Method, Variables
from experiments.progress import Progress
from scoring.pooling import pool


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
    score, _ = _on_local_devices(method)
    variables = jax.device_get(variables)
    parts = []
    with Progress(task, len(windows), "window") as progress:
        for batch, size in _chunks(windows, ids, batch_size):
            parts.append(np.asarray(score(variables, batch))[:size])
            progress.update(sum(map(len, parts)))
    scores = np.concatenate(parts) if parts else np.zeros(0, np.float32)
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
    _, explain = _on_local_devices(method)
    variables = jax.device_get(variables)
    total = np.zeros(windows.frames.shape, np.float64)
    count = np.zeros(windows.frames.shape, np.int32)
    first = 0
    for batch, size in _chunks(windows, ids, batch_size):
        strange = np.asarray(explain(variables, batch))[:size]
        starts = windows.starts[first : first + size]
        for frame in range(windows.num_frames):
            known = ~np.isnan(strange[:, frame])
            total[starts + frame] += np.where(known, strange[:, frame], 0)
            count[starts + frame] += known
        first += size
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)


@cache
def _on_local_devices(method: Method) -> tuple[Callable, Callable]:
    """The method's score and explain, jitted over this process's own devices."""
    devices = jax.local_devices()
    mesh = jax.make_mesh((len(devices),), ("data",), devices=devices, axis_types=(AxisType.Auto,))
    sharded = NamedSharding(mesh, PartitionSpec("data"))
    everywhere = NamedSharding(mesh, PartitionSpec())
    return tuple(
        jax.jit(function, in_shardings=(everywhere, sharded), out_shardings=sharded)
        for function in (method.score, method.explain)
    )


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
