"""The layers that both networks are made of; kernels start as Keras' do.

Images lie as `(batch, time, mels, channels)`.
"""

from functools import reduce

import flax.linen as nn
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, PRNGKeyArray

from ssl_cls.convolution import Padding, convolution, pointwise
from ssl_cls.depthwise import SIZE, depthwise

glorot_uniform = nn.initializers.glorot_uniform()


def same_padding(shape: tuple[int, ...], size: int, stride: int) -> Padding:
    """Zeros that make an image's sides `ceil(side / stride)`; an odd one goes to the end."""
    (top, bottom), (left, right) = lax.padtype_to_pads(
        shape[1:3], (size, size), (stride, stride), "SAME"
    )
    return (top, bottom), (left, right)


class Convolution(nn.Module):
    """A square convolution.

    Attributes:
        features: channels that come out.
        size: side of the kernel.
        stride: pixels from one window to the next.
        padding: zeros on every side; None for as few as keep every pixel.
    """

    features: int
    size: int = 1
    stride: int = 1
    padding: int | None = None

    @nn.compact
    def __call__(
        self, x: Float[Array, "batch time mels channels"]
    ) -> Float[Array, "batch out_time out_mels features"]:
        """Convolves; 1 x 1 kernels skip pixels first."""
        shape = (self.size, self.size, x.shape[-1], self.features)
        kernel = self.param("kernel", glorot_uniform, shape)
        if self.size == 1:
            return pointwise(x[:, :: self.stride, :: self.stride], kernel[0, 0])
        if self.padding is None:
            padding = same_padding(x.shape, self.size, self.stride)
        else:
            both = (self.padding, self.padding)
            padding = (both, both)
        return convolution(x, kernel, self.stride, padding)


class Depthwise(nn.Module):
    """A 3 x 3 convolution of every channel by itself."""

    stride: int = 1

    @nn.compact
    def __call__(
        self, x: Float[Array, "batch time mels channels"]
    ) -> Float[Array, "batch out_time out_mels channels"]:
        """Convolves, padded as `SAME`."""
        kernel = self.param("kernel", _depthwise_init, (SIZE, SIZE, x.shape[-1]))
        return depthwise(x, kernel, self.stride)


def _depthwise_init(key: PRNGKeyArray, shape: tuple[int, ...]) -> Array:
    """Keras counts every channel as an input, and one output."""
    return glorot_uniform(key, (*shape, 1))[..., 0]


def max_pool(
    x: Float[Array, "batch time mels channels"],
) -> Float[Array, "batch out_time out_mels channels"]:
    """The largest of 3 x 3 pixels, every other pixel; beyond the edges all is zero.

    As maxima of shifted images, along one axis and then the other: the gradient of XLA's own
    pooling scatters.
    """
    for axis in (1, 2):
        pads = [(0, 0)] * x.ndim
        pads[axis] = (1, 1)
        padded = jnp.pad(x, pads)
        stop = padded.shape[axis] - 2
        x = reduce(jnp.maximum, [lax.slice_in_dim(padded, i, i + stop, 2, axis) for i in range(3)])
    return x
