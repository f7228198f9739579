"""Heads: the conditional density of one bin, given the numbers a network puts out for it.

A head's parameters lie as `(rows, *shape, bins)`, bins last, so that vector lanes run over bins;
there are as many rows as in the batch, or a single one for all of it.
"""

import math
from collections.abc import Callable
from functools import reduce
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
        log_prob: `(params (rows, *shape, bins), x (batch, bins)) -> (batch, bins)`, in nats.
        sample: `(key, params (batch, *shape, bins)) -> (batch, bins)`.
    """

    shape: tuple[int, ...]
    bias: np.ndarray
    log_prob: Callable[[Array, Array], Array]
    sample: Callable[[PRNGKeyArray, Array], Array]


def gaussian() -> Head:
    """N(x; mu, sigma), its parameters `(mu, log sigma)`."""
    return Head((2,), np.zeros(2, np.float32), _gaussian_log_prob, _gaussian_sample)


def bernoulli() -> Head:
    """p^x (1 - p)^(1 - x) for x of 0 or 1, its parameter logit p (Germain et al., section 2)."""
    return Head((), np.zeros((), np.float32), _bernoulli_log_prob, _bernoulli_sample)


def mixture_of_gaussians(num_components: int, max_components: int = 0) -> Head:
    """sum_c pi_c N(x; mu_c, sigma_c), its parameters `(logit pi, mu, log sigma)` by component.

    The means start on a grid over +-1.5 so that the components differ from the first step.

    Args:
        num_components: Gaussians in the mixture.
        max_components: if larger, components without weight make up the number, which no gradient
            ever moves: mixtures of several sizes then have one shape and can be trained together.
            Their logits are minus infinity, which decoupled weight decay would spoil.
    """
    bias = np.zeros((3, max(num_components, max_components)), np.float32)
    if num_components > 1:
        bias[1, :num_components] = np.linspace(-1.5, 1.5, num_components)
    bias[0, num_components:] = -np.inf
    return Head(bias.shape, bias, _mixture_log_prob, _mixture_sample)


def _normal_log_prob(x: Array, mean: Array, log_scale: Array) -> Array:
    z = (x - mean) * jnp.exp(-log_scale)
    return -0.5 * z * z - log_scale - LOG_SQRT_2PI


def _clip(log_scale: Array) -> Array:
    return jnp.maximum(log_scale, MIN_LOG_SCALE)


def _gaussian_log_prob(
    params: Float[Array, "rows 2 bins"], x: Float[Array, "batch bins"]
) -> Float[Array, "batch bins"]:
    return _normal_log_prob(x, params[:, 0], _clip(params[:, 1]))


def _gaussian_sample(
    key: PRNGKeyArray, params: Float[Array, "batch 2 bins"]
) -> Float[Array, "batch bins"]:
    mean, scale = params[:, 0], jnp.exp(_clip(params[:, 1]))
    return mean + scale * jax.random.normal(key, mean.shape)


def _bernoulli_log_prob(
    logit: Float[Array, "rows bins"], x: Float[Array, "batch bins"]
) -> Float[Array, "batch bins"]:
    return x * logit - jax.nn.softplus(logit)


def _bernoulli_sample(
    key: PRNGKeyArray, logit: Float[Array, "batch bins"]
) -> Float[Array, "batch bins"]:
    return jax.random.bernoulli(key, jax.nn.sigmoid(logit)).astype(logit.dtype)


@jax.custom_vjp
def _mixture_log_prob(
    params: Float[Array, "rows 3 components bins"], x: Float[Array, "batch bins"]
) -> Float[Array, "batch bins"]:
    """Component by component: a compiler makes one loop of it and keeps nothing in between."""
    logits = [params[:, 0, c] for c in range(params.shape[2])]
    joint = [
        logit + _normal_log_prob(x, params[:, 1, c], _clip(params[:, 2, c]))
        for c, logit in enumerate(logits)
    ]
    return _log_sum_exp(joint) - _log_sum_exp(logits)


def _log_sum_exp(terms: list[Array]) -> Array:
    """Safe from overflow; the largest term must be finite."""
    largest = reduce(jnp.maximum, terms)
    return jnp.log(sum(jnp.exp(term - largest) for term in terms)) + largest


def _mixture_forward(
    params: Float[Array, "rows 3 components bins"], x: Float[Array, "batch bins"]
) -> tuple[Float[Array, "batch bins"], tuple[Array, ...]]:
    """The same for all components at once, keeping what its gradient needs."""
    logits, means, log_scales = params[:, 0], params[:, 1], _clip(params[:, 2])
    precision = jnp.exp(-log_scales)
    z = (x[:, None] - means) * precision
    shares, joint_total = _softmax(logits - 0.5 * z * z - log_scales - LOG_SQRT_2PI)
    weights, logit_total = _softmax(logits)
    return joint_total - logit_total, (params, precision, z, *shares, *weights)


def _softmax(logits: Float[Array, "rows components bins"]) -> tuple[tuple[Array, Array], Array]:
    """A softmax over components as its numerators and one over their sum, and its log-sum-exp."""
    largest = logits.max(axis=1)
    numerators = jnp.exp(logits - largest[:, None])
    total = numerators.sum(axis=1)
    return (numerators, 1 / total), jnp.log(total) + largest


def _mixture_backward(residuals: tuple[Array, ...], g: Float[Array, "batch bins"]) -> tuple:
    """By each component's share of the density (Bishop, "Mixture density networks", 1994)."""
    params, precision, z, shares, shares_norm, weights, weights_norm = residuals
    share = shares * (g * shares_norm)[:, None]
    d_logits = share - weights * (g * weights_norm)[:, None]
    d_means = share * z * precision
    d_log_scales = jnp.where(params[:, 2] > MIN_LOG_SCALE, share * (z * z - 1), 0.0)
    d_params = jnp.stack([d_logits, d_means, d_log_scales], axis=1)
    if len(params) < len(g):
        d_params = d_params.sum(axis=0, keepdims=True)
    return d_params, -d_means.sum(axis=1)


_mixture_log_prob.defvjp(_mixture_forward, _mixture_backward)


def _mixture_sample(
    key: PRNGKeyArray, params: Float[Array, "batch 3 components bins"]
) -> Float[Array, "batch bins"]:
    which, noise = jax.random.split(key)
    component = jax.random.categorical(which, params[:, 0], axis=1)
    chosen = jnp.take_along_axis(params, component[:, None, None], axis=2)[:, :, 0]
    return _gaussian_sample(noise, chosen[:, 1:])
