"""Heads: from an embedding to the logits of the classes.

Both are called as `head(embedding, targets)`, targets `(batch, classes)` in training, rows that sum
to one, and None to score.
"""

import flax.linen as nn
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from ssl_cls.layers import glorot_uniform

# Keeps the gradient of a square root finite: the sine of an angle is at least a thousandth.
MIN_SQUARE = 1e-6


class Softmax(nn.Module):
    """Logits are affine in the embedding.

    Attributes:
        num_classes: classes to tell apart.
    """

    num_classes: int

    @nn.compact
    def __call__(
        self,
        embedding: Float[Array, "batch embedding"],
        targets: Float[Array, "batch classes"] | None = None,
    ) -> Float[Array, "batch classes"]:
        """The logits; targets do not matter."""
        kernel = self.param("kernel", glorot_uniform, (embedding.shape[-1], self.num_classes))
        bias = self.param("bias", nn.initializers.zeros, (self.num_classes,))
        return embedding @ kernel + bias[None]


class ArcFace(nn.Module):
    """Logits are `scale` times the cosine to each class's centre, with a margin on the angle.

    Deng et al., "ArcFace: additive angular margin loss for deep face recognition" (CVPR 2019).

    Attributes:
        num_classes: classes to tell apart.
        margin: radians by which an example must be nearer to its own centre.
        scale: of the cosines.
    """

    num_classes: int
    margin: float = 0.5
    scale: float = 30.0

    @nn.compact
    def __call__(
        self,
        embedding: Float[Array, "batch embedding"],
        targets: Float[Array, "batch classes"] | None = None,
    ) -> Float[Array, "batch classes"]:
        """Scaled cosines, with the margin where there are targets.

        A class that makes up a share of an example has that share of the margin: all of it if the
        example is of this class alone, none if it has nothing of it.
        """
        shape = (self.num_classes, embedding.shape[-1])
        centres = self.param("centres", glorot_uniform, shape)
        cosine = _unit(embedding) @ _unit(centres).T
        if targets is not None:
            cosine = with_margin(cosine, self.margin * targets)
        return self.scale * cosine


def with_margin(
    cosine: Float[Array, "batch classes"], margin: Float[Array, "batch classes"]
) -> Float[Array, "batch classes"]:
    """`cos(angle + margin)`; where that is past pi, a line that keeps falling as the angle grows.

    Gradients are finite at cosines of -1 and 1, and where there is no margin they are the cosine's.
    """
    sine = jnp.sqrt(jnp.maximum(1 - cosine * cosine, MIN_SQUARE))
    turned = cosine * jnp.cos(margin) - sine * jnp.sin(margin)
    beyond = cosine - margin * jnp.sin(margin)
    return jnp.where(cosine > -jnp.cos(margin), turned, beyond)


def _unit(vectors: Float[Array, "many embedding"]) -> Float[Array, "many embedding"]:
    """Rows of length one; a row of zeros stays what it is."""
    squares = jnp.square(vectors).sum(-1, keepdims=True)
    return vectors * lax.rsqrt(jnp.maximum(squares, MIN_SQUARE))
