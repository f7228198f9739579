"""MobileNetV2, as Keras has it.

Sandler et al., "MobileNetV2: inverted residuals and linear bottlenecks" (CVPR 2018).
"""

from typing import NamedTuple

import flax.linen as nn
from jaxtyping import Array, Float

from ssl_cls.batch_norm import BatchNorm
from ssl_cls.layers import Convolution, Depthwise

EPSILON = 1e-3
FIRST, LAST = 32, 1280


class Stage(NamedTuple):
    """A run of blocks; `stride` is the first one's."""

    expansion: int
    filters: int
    blocks: int
    stride: int


STAGES = (
    Stage(1, 16, 1, 1),
    Stage(6, 24, 2, 2),
    Stage(6, 32, 3, 2),
    Stage(6, 64, 4, 2),
    Stage(6, 96, 3, 1),
    Stage(6, 160, 3, 2),
    Stage(6, 320, 1, 1),
)


def scaled(filters: int, width: float) -> int:
    """Channels at a width: the nearest multiple of eight, eight or more, nine tenths or more."""
    wanted = filters * width
    rounded = max(8, int(wanted + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * wanted else rounded + 8


class Bottleneck(nn.Module):
    """Expands the channels, filters each by itself, and projects them down again.

    Attributes:
        expansion: how many times as many channels are filtered; at 1 nothing is expanded.
        filters: channels that come out.
        stride: of the filters.
        momentum: of the running statistics.
    """

    expansion: int
    filters: int
    stride: int
    momentum: float

    @nn.compact
    def __call__(
        self, x: Float[Array, "batch time mels channels"], train: bool
    ) -> Float[Array, "batch out_time out_mels filters"]:
        """Adds its input where the shapes allow."""

        def norm(y: Array, name: str) -> Array:
            return BatchNorm(self.momentum, EPSILON, name=name)(y, train)

        channels = x.shape[-1]
        y = x
        if self.expansion > 1:
            y = Convolution(self.expansion * channels, name="expand")(y)
            y = nn.relu6(norm(y, "expand_norm"))
        y = Depthwise(self.stride, name="depthwise")(y)
        y = nn.relu6(norm(y, "depthwise_norm"))
        y = norm(Convolution(self.filters, name="project")(y), "project_norm")
        return x + y if self.stride == 1 and channels == self.filters else y


class MobileNetV2(nn.Module):
    """From images to embeddings of `max(1280, 1280 * width)` numbers between 0 and 6.

    Attributes:
        width: factor on the channels; the report's Table 2 is 0.5.
        momentum: of the running statistics. Keras' value needs thousands of steps; for fewer take
            0.99 or less, or scores rest on what the statistics were at the start.
    """

    width: float = 0.5
    momentum: float = 0.999

    @nn.compact
    def __call__(
        self, images: Float[Array, "batch time mels 1"], train: bool = False
    ) -> Float[Array, "batch embedding"]:
        """The mean over pixels of the last layer."""
        x = Convolution(scaled(FIRST, self.width), size=3, stride=2, name="first")(images)
        x = nn.relu6(BatchNorm(self.momentum, EPSILON, name="first_norm")(x, train))
        number = 0
        for stage in STAGES:
            for i in range(stage.blocks):
                stride = stage.stride if i == 0 else 1
                filters = scaled(stage.filters, self.width)
                block = Bottleneck(
                    stage.expansion, filters, stride, self.momentum, name=f"block_{number}"
                )
                x = block(x, train)
                number += 1
        x = Convolution(scaled(LAST, max(1.0, self.width)), name="last")(x)
        x = nn.relu6(BatchNorm(self.momentum, EPSILON, name="last_norm")(x, train))
        return x.mean((1, 2))
