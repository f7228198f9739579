"""Sequences longer than a window: a density of the last frame given those before, slid forward."""

from collections.abc import Callable
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from experiments.method import Variables

FRAMES_A_CALL = 32


def draw_sequences(
    sample: Callable[..., Array],
    variables: Variables,
    key: Array,
    windows: Float[np.ndarray, "batch frames mels"],
    ids: np.ndarray,
    length: int,
    told: Callable[[int], None] = lambda done: None,
) -> Float[np.ndarray, "batch length mels"]:
    """Draws sequences, one frame after another once a first window is drawn.

    Frame t is drawn with `fold_in(key, t)`, the first window with `fold_in(key, 0)`.

    Args:
        sample: of a `Method`.
        variables: what it learned.
        key: of all that is drawn.
        windows: dB, where to start from; the frames that the density models are drawn anew.
        ids: (batch,) of the sequences.
        length: frames of each, at least a window's.
        told: is given the number of frames there are, now and then.

    Returns:
        The sequences, dB.
    """
    variables = jax.device_put(jax.device_get(variables), jax.local_devices()[0])
    ids = ids.astype(np.int32)
    start, slide = _programs(sample)
    window = start(variables, key, windows, ids)
    parts = [np.asarray(window)]
    for first in range(windows.shape[1], length, FRAMES_A_CALL):
        window, frames = slide(variables, key, window, ids, np.int32(first))
        parts.append(np.asarray(frames))
        told(min(first + FRAMES_A_CALL, length))
    return np.concatenate(parts, axis=1)[:, :length]


@cache
def _programs(sample: Callable[..., Array]) -> tuple[Callable[..., Array], Callable[..., tuple]]:
    """The jitted first draw, and the jitted slide over the next `FRAMES_A_CALL` frames."""

    def start(variables: Variables, key: Array, windows: Array, ids: Array) -> Array:
        return sample(variables, jax.random.fold_in(key, 0), {"x": windows, "id": ids})

    def slide(variables: Variables, key: Array, window: Array, ids: Array, first: Array) -> tuple:
        def step(window: Array, t: Array) -> tuple[Array, Array]:
            last = window.shape[1] - 1
            moved = jnp.roll(window, -1, axis=1)
            batch = {"x": moved, "id": ids}
            window = sample(variables, jax.random.fold_in(key, t), batch, (last,))
            return window, window[:, last]

        times = first + jnp.arange(FRAMES_A_CALL, dtype=jnp.int32)
        window, frames = jax.lax.scan(step, window, times)
        return window, frames.swapaxes(0, 1)

    return jax.jit(start), jax.jit(slide)
