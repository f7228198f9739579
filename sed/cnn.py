"""A small convolutional network for log-mels of whole clips, quick on a CPU."""

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

EPSILON = 1e-5


class Block(nn.Module):
    """Convolves 3 x 3 pixels, normalises, rectifies, and halves both sides by averaging.

    Attributes:
        features: channels that come out.
        momentum: of the running mean and variance.
    """

    features: int
    momentum: float

    @nn.compact
    def __call__(
        self, x: Float[Array, "batch time mels channels"], train: bool
    ) -> Float[Array, "batch half_time half_mels features"]:
        """The block; in training statistics are the batch's and the running ones move."""
        y = nn.Conv(self.features, (3, 3), use_bias=False)(x)
        norm = nn.BatchNorm(not train, momentum=self.momentum, epsilon=EPSILON)
        return halved(nn.relu(norm(y)))


class SmallCnn(nn.Module):
    """From images to embeddings, twice as many numbers as the last block has channels.

    After the blocks mels are averaged; over time both the mean and the maximum are kept, as what
    lasts and what happens once (after Kong et al., "PANNs", 2020).

    Attributes:
        channels: of each block; with the default 98,000 weights.
        momentum: of the running statistics.
    """

    channels: tuple[int, ...] = (16, 32, 64, 128)
    momentum: float = 0.9

    @nn.compact
    def __call__(
        self, images: Float[Array, "batch time mels 1"], train: bool = False
    ) -> Float[Array, "batch embedding"]:
        """Embeddings of standardised log-mels; each side is at least 2 to the number of blocks."""
        x = images
        for number, features in enumerate(self.channels):
            x = Block(features, self.momentum, name=f"block_{number}")(x, train)
        over_time = x.mean(2)
        return jnp.concatenate([over_time.mean(1), over_time.max(1)], axis=-1)


def halved(
    x: Float[Array, "batch time mels channels"],
) -> Float[Array, "batch half_time half_mels channels"]:
    """Means over squares of 2 x 2 pixels; an odd last row or column is left out."""
    batch, time, mels, channels = x.shape
    time, mels = time // 2, mels // 2
    whole = x[:, : 2 * time, : 2 * mels]
    return whole.reshape(batch, time, 2, mels, 2, channels).mean((2, 4))
