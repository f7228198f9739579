"""3 x 3 convolutions of images of any size."""

import math

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

SIZE = 3


class Convolution(nn.Module):
    """A 3 x 3 convolution with zeros around the image, and no bias.

    Attributes:
        features: channels that come out.
    """

    features: int

    @nn.compact
    def __call__(
        self, x: Float[Array, "batch time mels channels"]
    ) -> Float[Array, "batch time mels features"]:
        """Convolves."""
        shape = (SIZE, SIZE, x.shape[-1], self.features)
        kernel = self.param("kernel", nn.initializers.xavier_uniform(), shape)
        # XLA lets image and kernel change places if the kernel has more pixels; a CPU is then
        # hundreds of times slower.
        swapped = math.prod(x.shape[1:3]) < SIZE * SIZE
        if swapped and jax.default_backend() == "cpu":
            return by_patches(x, kernel)
        return by_convolution(x, kernel)


def by_convolution(
    x: Float[Array, "batch time mels channels"], kernel: Float[Array, "3 3 channels features"]
) -> Float[Array, "batch time mels features"]:
    """As XLA does it."""
    numbers = ("NHWC", "HWIO", "NHWC")
    return lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=numbers)


def by_patches(
    x: Float[Array, "batch time mels channels"], kernel: Float[Array, "3 3 channels features"]
) -> Float[Array, "batch time mels features"]:
    """As a matrix product over patches, which are copied out of the image first."""
    _, time, mels, _ = x.shape
    padded = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    patches = [padded[:, i : i + time, j : j + mels] for i in range(SIZE) for j in range(SIZE)]
    return jnp.concatenate(patches, axis=-1) @ kernel.reshape(-1, kernel.shape[-1])
