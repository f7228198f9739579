"""What detectors learn by.

A clip's truth is its event's (onset, offset) in seconds, or (-1, -1) where it has none.
"""

import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float


def is_there(truth: Float[Array, "batch 2"]) -> Bool[Array, " batch"]:
    """Whether a clip has an event."""
    return truth[:, 1] > truth[:, 0]


def active_frames(
    truth: Float[Array, "batch 2"], num_frames: int, hop_seconds: float
) -> Bool[Array, "batch frames"]:
    """The frames in which the event is, at least one where there is any.

    Frame t is centred on `t * hop_seconds`.
    """
    centres = hop_seconds * jnp.arange(num_frames, dtype=jnp.float32)
    first, after = truth[:, :1] - 0.5 * hop_seconds, truth[:, 1:] + 0.5 * hop_seconds
    return (first <= centres[None]) & (centres[None] < after) & is_there(truth)[:, None]


def bernoulli_nats(logits: Float[Array, "*n"], truth: Bool[Array, "*n"]) -> Float[Array, "*n"]:
    """Cross-entropy of each logit with what is true."""
    return optax.sigmoid_binary_cross_entropy(logits, truth.astype(logits.dtype))


def smooth_l1(error: Float[Array, "*n 2"]) -> Float[Array, "*n"]:
    """The absolute error of each code, summed over its two numbers; a parabola near zero.

    It is near within a tenth of an anchor's length (Ren et al., 2015, take a ninth).
    """
    near = 0.1
    return (optax.huber_loss(error, delta=near) / near).sum(-1)


def mean_of(values: Float[Array, "*n"], chosen: Bool[Array, "*n"]) -> Float[Array, ""]:
    """The mean over the chosen elements, 0 where none is."""
    return jnp.where(chosen, values, 0.0).sum() / jnp.maximum(chosen.sum(dtype=jnp.float32), 1.0)
