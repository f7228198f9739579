"""Heads: the conditional density of one bin, given the numbers a network puts out for it.

A head's parameters lie as `(batch, *shape, bins)`, bins last, so that vector lanes run over bins.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

# Narrower than e^-3 of a bin's own standard deviation is noise fitted, not machine heard.
MIN_LOG_SCALE = -3.0
LOG_SQRT_2PI = 0.5 * math.log(2 * math.pi)


class Head(NamedTuple):
    """A family of one-dimensional densities.

    Attributes:
        shape: shape of the parameters of one bin.
        bias: where the parameters start, of that shape.
        log_prob: `(params (batch, *shape, bins), x (batch, bins)) -> (batch, bins)`, in nats.
        sample: `(key, params (batch, *shape, bins)) -> (batch, bins)`.
    """

    shape: tuple[int, ...]
    bias: np.ndarray
    log_prob: Callable[[Array, Array], Array]
    sample: Callable[[PRNGKeyArray, Array], Array]


def gaussian() -> Head:
    """N(x; mu, sigma), its parameters `(mu, log sigma)`."""
    return Head((2,), np.zeros(2, np.float32), _gaussian_log_prob, _gaussian_sample)


def mixture_of_gaussians(num_components: int) -> Head:
    """sum_c pi_c N(x; mu_c, sigma_c), its parameters `(logit pi, mu, log sigma)` by component.

    The means start on a grid over +-1.5 so that the components differ from the first step.
    """
    bias = np.zeros((3, num_components), np.float32)
    if num_components > 1:
        bias[1] = np.linspace(-1.5, 1.5, num_components)
    return Head((3, num_components), bias, _mixture_log_prob, _mixture_sample)


def _normal_log_prob(x: Array, mean: Array, log_scale: Array) -> Array:
    z = (x - mean) * jnp.exp(-log_scale)
    return -0.5 * z * z - log_scale - LOG_SQRT_2PI


def _clip(log_scale: Array) -> Array:
    return jnp.maximum(log_scale, MIN_LOG_SCALE)


def _gaussian_log_prob(
    params: Float[Array, "batch 2 bins"], x: Float[Array, "batch bins"]
) -> Float[Array, "batch bins"]:
    return _normal_log_prob(x, params[:, 0], _clip(params[:, 1]))


def _gaussian_sample(
    key: PRNGKeyArray, params: Float[Array, "batch 2 bins"]
) -> Float[Array, "batch bins"]:
    mean, scale = params[:, 0], jnp.exp(_clip(params[:, 1]))
    return mean + scale * jax.random.normal(key, mean.shape)


def _mixture_log_prob(
    params: Float[Array, "batch 3 components bins"], x: Float[Array, "batch bins"]
) -> Float[Array, "batch bins"]:
    logits, means, log_scales = params[:, 0], params[:, 1], _clip(params[:, 2])
    joint = logits + _normal_log_prob(x[:, None], means, log_scales)
    return jax.nn.logsumexp(joint, axis=1) - jax.nn.logsumexp(logits, axis=1)


def _mixture_sample(
    key: PRNGKeyArray, params: Float[Array, "batch 3 components bins"]
) -> Float[Array, "batch bins"]:
    which, noise = jax.random.split(key)
    component = jax.random.categorical(which, params[:, 0], axis=1)
    chosen = jnp.take_along_axis(params, component[:, None, None], axis=2)[:, :, 0]
    return _gaussian_sample(noise, chosen[:, 1:])
