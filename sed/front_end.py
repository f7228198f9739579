"""A residual convolutional front end: from log-mels to features at a coarser time resolution."""

import flax.linen as nn
from jaxtyping import Array, Float

STEM_STRIDE = (2, 2)


class FrontEnd(nn.Module):
    """A stem and a residual block for each further entry, then a dense layer over frequency.

    The stem keeps every second frame and band. In place of batch normalisation every branch begins
    at a gain of zero, so that the network begins as a shallow one (SkipInit; De and Smith, 2020):
    nothing depends on the batch.

    Attributes:
        channels: of the stem and of every block.
        pools: (time, frequency) by which each of them is pooled.
        features: of the dense layer.
    """

    channels: tuple[int, ...]
    pools: tuple[tuple[int, int], ...]
    features: int

    @nn.compact
    def __call__(self, x: Float[Array, "batch frames mels"]) -> Float[Array, "batch steps d"]:
        """Every step's features."""
        h = x[..., None]
        for i, (channels, pool) in enumerate(zip(self.channels, self.pools, strict=True)):
            h = nn.Conv(channels, (5, 5), STEM_STRIDE)(h) if i == 0 else Block(channels)(h)
            h = nn.max_pool(nn.relu(h), pool, pool)
        return nn.relu(nn.Dense(self.features)(h.reshape(*h.shape[:2], -1)))


class Block(nn.Module):
    """Two convolutions beside the identity, or beside a 1 x 1 one where channels change."""

    channels: int

    @nn.compact
    def __call__(self, x: Float[Array, "b t f c"]) -> Float[Array, "b t f d"]:
        """Not yet rectified."""
        branch = nn.Conv(self.channels, (3, 3))(nn.relu(nn.Conv(self.channels, (3, 3))(x)))
        gain = self.param("gain", nn.initializers.zeros, (1,))
        same = x if x.shape[-1] == self.channels else nn.Conv(self.channels, (1, 1))(x)
        return same + gain.reshape(1, 1, 1, 1) * branch
