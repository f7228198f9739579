"""A masked matrix cut into the blocks that a mask leaves of it; the rest is never multiplied.

Sources and units are sorted by degree, so the units of a block read a prefix of the sources, and
where orders are total nothing within that prefix is masked.
"""

from collections.abc import Iterable
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

# Columns in a block at least: products much narrower than this are slower than what they save.
MIN_COLUMNS = 128


class Block(NamedTuple):
    """Consecutive columns of a masked matrix.

    Attributes:
        columns: which.
        prefix: how many rows, from the first on, any of them reads.
        mask: `(prefix, len(columns))` where the prefix alone does not say it, else None.
    """

    columns: range
    prefix: int
    mask: np.ndarray | None


def cut(mask: Bool[np.ndarray, "rows columns"], runs: Iterable[range]) -> list[Block]:
    """The blocks of a mask at given runs of columns."""
    return [_block(mask[:, run.start : run.stop], run) for run in runs]


def _block(mask: Bool[np.ndarray, "rows run"], run: range) -> Block:
    read = np.flatnonzero(mask.any(axis=1))
    prefix = int(read[-1]) + 1 if read.size else 0
    mask = mask[:prefix]
    return Block(run, prefix, None if mask.all() else mask)


def equal_runs(length: int, size: int) -> list[range]:
    """Runs of one size, the last perhaps shorter."""
    return [range(start, min(start + size, length)) for start in range(0, length, size)]


def runs_of_one_prefix(mask: Bool[np.ndarray, "rows columns"]) -> list[range]:
    """Runs that end where the columns' prefix changes, but not before `MIN_COLUMNS`."""
    length = mask.shape[1]
    prefix = [block.prefix for block in cut(mask, equal_runs(length, 1))]
    starts = [0]
    for column in range(1, length):
        if prefix[column] != prefix[column - 1] and column - starts[-1] >= MIN_COLUMNS:
            starts.append(column)
    return [range(start, stop) for start, stop in zip(starts, [*starts[1:], length], strict=True)]


def masked(w: Float[Array, "prefix *columns"], block: Block) -> Float[Array, "prefix *columns"]:
    """A block's weights, zero where its mask is; any axes between rows and columns are not."""
    if block.mask is None:
        return w
    mask = block.mask.reshape(block.prefix, *(1,) * (w.ndim - 2), -1)
    return jnp.where(mask, w, 0.0)
