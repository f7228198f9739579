"""The depthwise 3 x 3 convolution: every channel filtered by itself.

This is the one place that chooses how it is done. On a CPU, XLA's grouped convolution is many times
slower than the memory it reads; nine shifted copies of the image, each times one tap, are the same
sum in one pass, and so is their gradient. Accelerators have kernels of their own for the groups.
"""

import math
from collections.abc import Sequence
from functools import partial, reduce

import jax
import jax.numpy as jnp
from jax import lax
from jax.experimental.xla_metadata import set_xla_metadata
from jaxtyping import Array, Float

SIZE = 3
# Rows whose products are added up before anything is written: a gradient of a tap then costs two
# readings of the image, and an eighth of one in writing.
ROWS = 8


def depthwise(
    x: Float[Array, "batch time mels channels"],
    kernel: Float[Array, "3 3 channels"],
    stride: int,
) -> Float[Array, "batch out_time out_mels channels"]:
    """The convolution, padded as `SAME`, in whichever way is fastest on this backend."""
    way = by_shifts if jax.default_backend() == "cpu" else by_groups
    return way(x, kernel, stride)


def by_groups(
    x: Float[Array, "batch time mels channels"],
    kernel: Float[Array, "3 3 channels"],
    stride: int,
) -> Float[Array, "batch out_time out_mels channels"]:
    """As a convolution with as many groups as channels."""
    return lax.conv_general_dilated(
        x,
        kernel[:, :, None],
        (stride, stride),
        "SAME",
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=x.shape[-1],
    )


def by_shifts(
    x: Float[Array, "batch time mels channels"],
    kernel: Float[Array, "3 3 channels"],
    stride: int,
) -> Float[Array, "batch out_time out_mels channels"]:
    """As nine shifted multiply-adds."""
    pads = lax.padtype_to_pads(x.shape[1:3], (SIZE, SIZE), (stride, stride), "SAME")
    return _filtered(jnp.pad(x, ((0, 0), *pads, (0, 0))), kernel, stride)


def shifts(
    padded: Float[Array, "batch time mels channels"], size: Sequence[int], stride: int
) -> list[Float[Array, "batch out_time out_mels channels"]]:
    """What each tap of a kernel of `size` is multiplied with, row by row of the kernel."""
    batch, time, mels, channels = padded.shape
    last = (time - size[0], mels - size[1])
    return [
        lax.slice(
            padded,
            (0, i, j, 0),
            (batch, i + last[0] + 1, j + last[1] + 1, channels),
            (1, stride, stride, 1),
        )
        for i in range(size[0])
        for j in range(size[1])
    ]


def _weighted_sum(padded: Array, kernel: Array, stride: int) -> Array:
    taps = kernel.reshape(SIZE * SIZE, -1)
    pairs = zip(shifts(padded, kernel.shape[:2], stride), taps, strict=True)
    return reduce(jnp.add, [shift * tap[None, None, None] for shift, tap in pairs])


_filtered = jax.custom_vjp(_weighted_sum, nondiff_argnums=(2,))


def _forward(padded: Array, kernel: Array, stride: int) -> tuple[Array, tuple[Array, Array]]:
    return _weighted_sum(padded, kernel, stride), (padded, kernel)


def _backward(stride: int, residuals: tuple[Array, Array], g: Array) -> tuple[Array, Array]:
    # Inlined, XLA would work out `g`, the gradient of a batch normalisation, anew for each tap.
    with set_xla_metadata(inlineable="false"):
        return _gradients(*residuals, g, stride)


@partial(jax.jit, static_argnums=3)
def _gradients(padded: Array, kernel: Array, g: Array, stride: int) -> tuple[Array, Array]:
    (d_padded,) = jax.vjp(lambda p: _weighted_sum(p, kernel, stride), padded)[1](g)
    rows = math.gcd(g.shape[1], ROWS)

    def products(shift: Array) -> Array:
        """A tap's share of its gradient, summed over every `rows`-th row."""
        return reduce(jnp.add, [shift[:, r::rows] * g[:, r::rows] for r in range(rows)])

    shares = jnp.stack([products(shift) for shift in shifts(padded, kernel.shape[:2], stride)])
    return d_padded, shares.sum((1, 2, 3)).reshape(kernel.shape)


_filtered.defvjp(_forward, _backward)
