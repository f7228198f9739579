"""The convolutional feature extractor under the pyramid: log-mels in, features over time out."""

from collections.abc import Sequence

import flax.linen as nn
from jaxtyping import Array, Float


class SnippetFeatures(nn.Module):
    """Convolutions, each of which halves the frequency axis, and one dense layer over what is left.

    Layers are normalised over channels: what a snippet becomes depends on no other. The paper does
    not say what its extractor is; this is a small one of the usual kind.

    Attributes:
        channels: of each convolution, 3 x 3.
        features: that come out at each time.
        time_stride: of the first convolution, frames to a step.
    """

    channels: Sequence[int]
    features: int
    time_stride: int

    @nn.compact
    def __call__(self, x: Float[Array, "batch time mels"]) -> Float[Array, "batch steps features"]:
        """Features of standardised log-mels, ceil(time / time_stride) steps of them."""
        x = x[..., None]
        for layer, channels in enumerate(self.channels):
            strides = (self.time_stride if layer == 0 else 1, 2)
            x = nn.Conv(channels, (3, 3), strides, use_bias=False)(x)
            x = nn.relu(nn.LayerNorm()(x))
        x = x.reshape(*x.shape[:2], -1)
        return nn.relu(nn.LayerNorm()(nn.Dense(self.features)(x)))
