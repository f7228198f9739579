"""Dense layers, as the challenge's autoencoder has them (Koizumi et al., 2020)."""

from collections.abc import Sequence

import flax.linen as nn
from jaxtyping import Array, Float


class Dense(nn.Module):
    """A dense layer, then batch norm and ReLU where asked for.

    Attributes:
        width: units.
        batch_norm: whether what they sum to is normalised, with the momentum and epsilon of Keras.
        relu: whether they are rectified.
    """

    width: int
    batch_norm: bool = False
    relu: bool = False

    @nn.compact
    def __call__(
        self, x: Float[Array, "batch features"], train: bool = False
    ) -> Float[Array, "batch width"]:
        """What the units say."""
        x = nn.Dense(self.width)(x)
        if self.batch_norm:
            x = nn.BatchNorm(use_running_average=not train, momentum=0.99, epsilon=1e-3)(x)
        return nn.relu(x) if self.relu else x


class DenseLayers(nn.Module):
    """Rectified dense layers, and after them a linear one where there is a shape to come to.

    Attributes:
        widths: of the rectified layers.
        batch_norm: whether they are normalised.
        shape: of each output, which the linear layer makes; None for no linear layer.
    """

    widths: Sequence[int]
    batch_norm: bool = False
    shape: tuple[int, ...] | None = None

    @nn.compact
    def __call__(self, x: Array, train: bool = False) -> Array:
        """`(batch, ...)` to `(batch, widths[-1])`, or to `(batch, *shape)`."""
        x = x.reshape(len(x), -1)
        for width in self.widths:
            x = Dense(width, self.batch_norm, relu=True)(x, train)
        if self.shape is None:
            return x
        size = 1
        for side in self.shape:
            size *= side
        return Dense(size)(x, train).reshape(len(x), *self.shape)
