"""Batch normalisation over all pixels of a batch, with the gradient written out.

Ioffe and Szegedy, "Batch normalization" (ICML 2015). By hand the gradient takes two sums over the
batch, where differentiating the formula takes four; on a CPU such sums are most of its cost.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

PIXELS = (0, 1, 2)


class BatchNorm(nn.Module):
    """Normalises each channel: over the batch in training, else by running statistics.

    Attributes:
        momentum: of the running mean and variance; what they keep of themselves every step.
        epsilon: added to the variance.
        with_offset: whether the layer below has a bias, which is then kept here. The batch's mean
            takes it away again, so only the running mean has to know of it, and no gradient does.
    """

    momentum: float
    epsilon: float
    with_offset: bool = False

    @nn.compact
    def __call__(
        self, x: Float[Array, "batch time mels channels"], train: bool
    ) -> Float[Array, "batch time mels channels"]:
        """Normalises, and in training moves the running statistics."""
        shape = x.shape[-1:]
        scale = self.param("scale", nn.initializers.ones, shape)
        bias = self.param("bias", nn.initializers.zeros, shape)
        offset = self.param("offset", nn.initializers.zeros, shape) if self.with_offset else 0.0
        running_mean = self.variable("batch_stats", "mean", jnp.zeros, shape)
        running_var = self.variable("batch_stats", "var", jnp.ones, shape)
        if not train:
            std = jnp.sqrt(running_var.value + self.epsilon)
            return _affine(x, scale, bias, running_mean.value - offset, std)
        y, mean, var = normalise(x, scale, bias, self.epsilon)
        if not self.is_initializing():
            for running, now in ((running_mean, mean + offset), (running_var, var)):
                running.value = self.momentum * running.value + (1 - self.momentum) * now
        return y


def _affine(x: Array, scale: Array, bias: Array, mean: Array, std: Array) -> Array:
    gain = scale / std
    return x * gain[None, None, None] + (bias - mean * gain)[None, None, None]


def _normalise(
    x: Float[Array, "batch time mels channels"],
    scale: Float[Array, "channels"],
    bias: Float[Array, "channels"],
    epsilon: float,
) -> tuple[
    Float[Array, "batch time mels channels"], Float[Array, "channels"], Float[Array, "channels"]
]:
    """`scale * (x - mean) / std + bias`, mean and variance; no gradient passes the last two."""
    return _forward(x, scale, bias, epsilon)[0]


normalise = jax.custom_vjp(_normalise, nondiff_argnums=(3,))


def _forward(
    x: Array, scale: Array, bias: Array, epsilon: float
) -> tuple[tuple[Array, Array, Array], tuple[Array, ...]]:
    mean = x.mean(PIXELS)
    var = jnp.maximum(jnp.square(x).mean(PIXELS) - jnp.square(mean), 0.0)
    std = jnp.sqrt(var + epsilon)
    return (_affine(x, scale, bias, mean, std), mean, var), (x, scale, mean, std)


def _backward(
    epsilon: float, residuals: tuple[Array, ...], g: tuple[Array, ...]
) -> tuple[Array, ...]:
    x, scale, mean, std = residuals
    dy, pixels = g[0], x.size // x.shape[-1]
    d_bias = dy.sum(PIXELS)
    d_scale = ((dy * x).sum(PIXELS) - mean * d_bias) / std
    slope = d_scale / (pixels * std)
    level = d_bias / pixels - mean * slope
    dx = dy - x * slope[None, None, None] - level[None, None, None]
    return dx * (scale / std)[None, None, None], d_scale, d_bias


normalise.defvjp(_forward, _backward)
