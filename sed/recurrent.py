"""Recurrent layers over time."""

from typing import Any

import flax.linen as nn
from jaxtyping import Array, Float


class GRU(nn.Module):
    """Gated recurrent units (Cho et al., 2014), from the first frame to the last.

    Attributes:
        features: units.
    """

    features: int

    @nn.compact
    def __call__(self, x: Float[Array, "batch time dims"]) -> Float[Array, "batch time features"]:
        """Every frame's output."""
        layer: Any = nn.RNN(nn.GRUCell(self.features))
        return layer(x)


class BiGRU(nn.Module):
    """One layer each way, side by side.

    Attributes:
        features: units of each.
    """

    features: int

    @nn.compact
    def __call__(self, x: Float[Array, "batch time dims"]) -> Float[Array, "batch time both"]:
        """Every frame's outputs."""
        forward, backward = (nn.RNN(nn.GRUCell(self.features)) for _ in range(2))
        both: Any = nn.Bidirectional(forward, backward)
        return both(x)
