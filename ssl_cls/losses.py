"""Losses, for targets that may be shares of several classes."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def soft_cross_entropy(
    logits: Float[Array, "batch classes"], targets: Float[Array, "batch classes"]
) -> Float[Array, "batch"]:
    """`-sum_c t_c log softmax(logits)_c`, in nats."""
    return -(targets * jax.nn.log_softmax(logits)).sum(-1)


def kl_divergence(
    logits: Float[Array, "batch classes"], targets: Float[Array, "batch classes"]
) -> Float[Array, "batch"]:
    """`KL(targets || softmax(logits))`, in nats: the cross-entropy less the targets' own entropy.

    Its gradient is the cross-entropy's; its value says how far there is to go, whatever was mixed.
    """
    entropy = -jax.scipy.special.xlogy(targets, targets).sum(-1)
    return soft_cross_entropy(logits, targets) - entropy


def accuracy(
    logits: Float[Array, "batch classes"], targets: Float[Array, "batch classes"]
) -> Float[Array, ""]:
    """How often the largest logit is that of the class with the largest share."""
    return (logits.argmax(-1) == targets.argmax(-1)).astype(jnp.float32).mean()
