"""Recurrent layers over time: gated recurrent units (Cho et al., 2014), one way and both."""

from typing import Any

import flax.linen as nn
from jaxtyping import Array, Float


class GRU(nn.Module):
    """A layer of gated recurrent units; each output has heard all up to its time.

    Attributes:
        features: units.
        reverse: from the end to the beginning, so that each output has heard all from its time on.
    """

    features: int
    reverse: bool = False

    @nn.compact
    def __call__(self, x: Float[Array, "batch time dims"]) -> Float[Array, "batch time features"]:
        """The units' outputs, in the order of time either way."""
        layer: Any = nn.RNN(nn.GRUCell(self.features), reverse=self.reverse, keep_order=True)
        return layer(x)


class BiGRU(nn.Module):
    """Two layers of gated recurrent units, one each way, side by side.

    Attributes:
        features: units each way.
    """

    features: int

    @nn.compact
    def __call__(self, x: Float[Array, "batch time dims"]) -> Float[Array, "batch time both"]:
        """Outputs that have heard all there is."""
        forward, backward = (nn.RNN(nn.GRUCell(self.features)) for _ in range(2))
        both: Any = nn.Bidirectional(forward, backward)
        return both(x)
