"""Dense convolutions, in whichever way is fastest on this backend."""

import math

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from ssl_cls.depthwise import shifts

Padding = tuple[tuple[int, int], tuple[int, int]]


def compiler_options() -> dict[str, str]:
    """What to give the outermost `jax.jit` of training as `compiler_options`.

    On a CPU, XLA hands products, sums and convolutions to a library (YNNPACK) that runs a
    convolution on one core; without it dense convolutions, and their gradients most of all, are
    several times faster. A preference alone: results are the same but for rounding.
    """
    if jax.default_backend() != "cpu":
        return {}
    kept = "LIBRARY_FUSION_TYPE_DOT,LIBRARY_FUSION_TYPE_REDUCE"
    return {"xla_cpu_experimental_ynn_fusion_type": kept}


def pointwise(
    x: Float[Array, "batch time mels channels"], kernel: Float[Array, "channels features"]
) -> Float[Array, "batch time mels features"]:
    """A 1 x 1 convolution as one matrix product over all pixels.

    On a CPU both it and its gradient are faster so than as a convolution.
    """
    return (x.reshape(-1, x.shape[-1]) @ kernel).reshape(*x.shape[:-1], kernel.shape[-1])


def convolution(
    x: Float[Array, "batch time mels channels"],
    kernel: Float[Array, "height width channels features"],
    stride: int,
    padding: Padding,
) -> Float[Array, "batch out_time out_mels features"]:
    """A convolution with given zeros before and after each axis."""
    # XLA lets image and kernel change places if the kernel has more pixels; a CPU is then
    # hundreds of times slower.
    swapped = math.prod(x.shape[1:3]) < math.prod(kernel.shape[:2])
    way = by_patches if swapped and jax.default_backend() == "cpu" else by_convolution
    return way(x, kernel, stride, padding)


def by_convolution(
    x: Float[Array, "batch time mels channels"],
    kernel: Float[Array, "height width channels features"],
    stride: int,
    padding: Padding,
) -> Float[Array, "batch out_time out_mels features"]:
    """As XLA does it."""
    numbers = ("NHWC", "HWIO", "NHWC")
    return lax.conv_general_dilated(x, kernel, (stride, stride), padding, dimension_numbers=numbers)


def by_patches(
    x: Float[Array, "batch time mels channels"],
    kernel: Float[Array, "height width channels features"],
    stride: int,
    padding: Padding,
) -> Float[Array, "batch out_time out_mels features"]:
    """As a matrix product over patches, which are copied out of the image first."""
    padded = jnp.pad(x, ((0, 0), *padding, (0, 0)))
    patches = jnp.concatenate(shifts(padded, kernel.shape[:2], stride), axis=-1)
    return pointwise(patches, kernel.reshape(-1, kernel.shape[-1]))
