"""Several processes working as one: who speaks, who waits, and what they tell each other.

With a single process all of this is nothing.
"""

import jax
import numpy as np
from jax.experimental import multihost_utils


def is_main() -> bool:
    """Whether this process writes the files and speaks for all."""
    return jax.process_index() == 0


def wait(name: str) -> None:
    """Waits until every process has come this far."""
    if jax.process_count() > 1:
        multihost_utils.sync_global_devices(name)


def gather(values: np.ndarray) -> np.ndarray:
    """Every process's array of one shape, stacked, bit for bit: (processes, *shape)."""
    values = np.asarray(values)
    if jax.process_count() == 1:
        return values[None]
    # As bytes, since JAX would make float64 float32 on the way.
    raw = np.frombuffer(values.tobytes(), np.uint8)
    gathered = np.asarray(multihost_utils.process_allgather(raw))
    return np.stack([np.frombuffer(part.tobytes(), values.dtype) for part in gathered]).reshape(
        -1, *values.shape
    )


def gather_rows(values: np.ndarray) -> np.ndarray:
    """Every process's rows, however many each has, end to end in the order of the processes."""
    sizes = gather(np.array(len(values)))
    padded = np.zeros((sizes.max(), *values.shape[1:]), values.dtype)
    padded[: len(values)] = values
    return np.concatenate([part[:size] for part, size in zip(gather(padded), sizes, strict=True)])


def gather_text(text: str) -> list[str]:
    """Every process's text, in the order of the processes."""
    data = np.frombuffer(text.encode(), np.uint8)
    sizes = gather(np.array(data.size))
    padded = np.zeros(sizes.max(), np.uint8)
    padded[: data.size] = data
    return [
        part[:size].tobytes().decode() for part, size in zip(gather(padded), sizes, strict=True)
    ]


def merge(values: np.ndarray, positions: np.ndarray, length: int) -> np.ndarray:
    """One array from the elements each process has, NaN where none has any.

    Args:
        values: (n,) float64, this process's elements.
        positions: (n,) where they belong.
        length: elements in all.
    """
    spread = np.full(length, np.nan)
    spread[positions] = values
    every = gather(spread)
    return np.where(np.isnan(every), 0, every).sum(0) + np.where(np.isnan(every).all(0), np.nan, 0)
