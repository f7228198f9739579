"""Scores: how unlike its own id an image sounds; higher is stranger.

The class of an id is the one of its untouched images, which has the id's own number.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int


def _own(values: Float[Array, "batch classes"], ids: Int[Array, "batch"]) -> Float[Array, "batch"]:
    return jnp.take_along_axis(values, ids[:, None], axis=1)[:, 0]


def negative_log_softmax(
    logits: Float[Array, "batch classes"], ids: Int[Array, "batch"]
) -> Float[Array, "batch"]:
    """`-log p(own id)`, in nats."""
    return -_own(jax.nn.log_softmax(logits), ids)


def negative_softmax(
    logits: Float[Array, "batch classes"], ids: Int[Array, "batch"]
) -> Float[Array, "batch"]:
    """`-p(own id)`, the report's score."""
    return -_own(jax.nn.softmax(logits), ids)


def negative_log_odds(
    logits: Float[Array, "batch classes"], ids: Int[Array, "batch"]
) -> Float[Array, "batch"]:
    """`-log(p / (1 - p))` of the own id, in nats: keeps falling where `-log p` has reached zero."""
    own = jax.nn.one_hot(ids, logits.shape[1], dtype=bool)
    others = jax.nn.logsumexp(jnp.where(own, -jnp.inf, logits), axis=1)
    return others - _own(logits, ids)


def negative_cosine(
    logits: Float[Array, "batch classes"], ids: Int[Array, "batch"], scale: float
) -> Float[Array, "batch"]:
    """Minus the cosine to the own id's centre, from the logits of `ArcFace` with that scale."""
    return -_own(logits, ids) / scale
