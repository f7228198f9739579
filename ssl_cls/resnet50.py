"""ResNet-50, as Keras has it: version 1, strides in the first convolution of a block, and biases.

He et al., "Deep residual learning for image recognition" (CVPR 2016).
"""

import flax.linen as nn
from jaxtyping import Array, Float

from ssl_cls.batch_norm import BatchNorm
from ssl_cls.layers import Convolution, max_pool

EPSILON = 1.001e-5
FIRST = 64
BLOCKS = (3, 4, 6, 3)  # conv2 to conv5; the channels double from one to the next


class Residual(nn.Module):
    """1 x 1, 3 x 3, 1 x 1, added to the input or to a projection of it.

    Attributes:
        filters: channels of the 3 x 3 convolution; four times as many come out.
        stride: of the first convolution.
        project: whether the input is projected.
        momentum: of the running statistics.
    """

    filters: int
    stride: int
    project: bool
    momentum: float

    @nn.compact
    def __call__(
        self, x: Float[Array, "batch time mels channels"], train: bool
    ) -> Float[Array, "batch out_time out_mels features"]:
        """Applies the block."""

        def layer(y: Array, name: str, features: int, size: int = 1, stride: int = 1) -> Array:
            y = Convolution(features, size, stride, name=name)(y)
            return BatchNorm(self.momentum, EPSILON, True, name=f"{name}_norm")(y, train)

        features = 4 * self.filters
        shortcut = layer(x, "shortcut", features, stride=self.stride) if self.project else x
        y = nn.relu(layer(x, "reduce", self.filters, stride=self.stride))
        y = nn.relu(layer(y, "filter", self.filters, size=3))
        return nn.relu(shortcut + layer(y, "expand", features))


class ResNet50(nn.Module):
    """From images to embeddings of 2048 numbers, none negative.

    Attributes:
        momentum: of the running statistics.
    """

    momentum: float = 0.99

    @nn.compact
    def __call__(
        self, images: Float[Array, "batch time mels 1"], train: bool = False
    ) -> Float[Array, "batch embedding"]:
        """The mean over pixels of the last layer."""
        x = Convolution(FIRST, size=7, stride=2, padding=3, name="first")(images)
        x = nn.relu(BatchNorm(self.momentum, EPSILON, True, name="first_norm")(x, train))
        x = max_pool(x)
        for stage, blocks in enumerate(BLOCKS):
            for i in range(blocks):
                stride = 2 if stage and i == 0 else 1
                name = f"conv{stage + 2}_block{i + 1}"
                block = Residual(FIRST * 2**stage, stride, i == 0, self.momentum, name=name)
                x = block(x, train)
        return x.mean((1, 2))
