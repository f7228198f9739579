"""Convolutions down to a code and up again, for log-mels seen as pictures."""

from collections.abc import Sequence

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float


class ConvEncoder(nn.Module):
    """Rectified 3 x 3 convolutions of stride 2, flattened.

    Sides that cannot be halved so often are filled up with zeros, the mean of standardised inputs.

    Attributes:
        channels: of each convolution.
    """

    channels: Sequence[int]

    @nn.compact
    def __call__(
        self, x: Float[Array, "batch frames mels"], train: bool = False
    ) -> Float[Array, "batch features"]:
        """What the last convolution says."""
        missing = [(0, -side % 2 ** len(self.channels)) for side in x.shape[1:]]
        h = jnp.pad(x, [(0, 0), *missing])[..., None]
        for channels in self.channels:
            h = nn.relu(nn.Conv(channels, (3, 3), strides=2)(h))
        return h.reshape(len(x), -1)


class ConvDecoder(nn.Module):
    """The way back: a dense layer, then 3 x 3 convolutions that double both sides.

    Attributes:
        channels: of the encoder's convolutions.
        shape: frames and mels of the outputs; what goes beyond them is cut off.
    """

    channels: Sequence[int]
    shape: tuple[int, int]

    @nn.compact
    def __call__(
        self, code: Float[Array, "batch latent"], train: bool = False
    ) -> Float[Array, "batch frames mels"]:
        """What the code stands for."""
        frames, mels = (-(-side // 2 ** len(self.channels)) for side in self.shape)
        h = nn.relu(nn.Dense(frames * mels * self.channels[-1])(code))
        h = h.reshape(len(code), frames, mels, self.channels[-1])
        for channels in reversed(self.channels[:-1]):
            h = nn.relu(doubled(nn.Conv(4 * channels, (3, 3))(h)))
        h = doubled(nn.Conv(4, (3, 3))(h))
        return h[:, : self.shape[0], : self.shape[1], 0]


def doubled(
    x: Float[Array, "batch frames mels channels"],
) -> Float[Array, "batch more_frames more_mels fewer_channels"]:
    """Every four channels as the four pixels of a square (Shi et al., 2016).

    With the convolution before it this is a transposed convolution, which XLA makes several times
    slower on a CPU.
    """
    batch, frames, mels, channels = x.shape
    squares = x.reshape(batch, frames, mels, 2, 2, channels // 4)
    return squares.swapaxes(2, 3).reshape(batch, 2 * frames, 2 * mels, channels // 4)
