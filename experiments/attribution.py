"""Which bins a score comes from, where it is no sum over bins."""

from collections.abc import Callable
from typing import Any

import jax
from jaxtyping import Array


def first_order(score: Callable[[dict[str, Any], dict[str, Array]], Array]) -> Callable[..., Array]:
    """The `explain` of a score: its slope along each bin, times how far the bin is off its mean.

    Args:
        score: `(variables, batch) -> (batch,)`; its variables hold `moments`.
    """

    def explain(variables: dict[str, Any], batch: dict[str, Array]) -> Array:
        slope = jax.grad(lambda x: score(variables, {**batch, "x": x}).sum())(batch["x"])
        return slope * (batch["x"] - variables["moments"]["mean"][None])

    return explain
