"""MADE of binary vectors (Germain et al., 2015): how many nats each costs."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

import gmade
from experiments.errors import ConfigError
from experiments.method import Method

ACTIVATIONS = {"relu": jax.nn.relu, "tanh": jnp.tanh, "softplus": jax.nn.softplus}


def build(settings: dict[str, Any]) -> Method:
    """Builds the density as a method.

    A vector is a window of one frame. Every step draws its masks from the list that
    `model.masks_seed` stands for; a score, minus the log-likelihood of a vector in nats, is of the
    average over the first `model.num_test_masks` of them; it is explained by the first alone.

    Args:
        settings: the config's `model` section, with the bits of a vector as `num_bits`.

    Raises:
        ConfigError: a setting that makes no density.
    """
    _check(settings)
    num_bits, hidden = settings["num_bits"], settings["hidden"]
    list_key, order = jax.random.key(settings["masks_seed"]), _order(settings)
    density = gmade.agnostic_made(
        num_bits,
        1,
        hidden,
        gmade.bernoulli(),
        settings["direct"],
        settings["condition_on_masks"],
        ACTIVATIONS[settings["activation"]],
        settings["dropout_rate"],
    )

    def degrees(index: Array) -> gmade.Degrees:
        return gmade.listed_degrees(list_key, index, num_bits, hidden, order)

    def init(key: Array, batch: dict[str, Array]) -> dict[str, Any]:
        return {"params": density.init(key)}

    def bits(batch: dict[str, Array]) -> Float[Array, "batch bits 1"]:
        return batch["x"].reshape(len(batch["x"]), num_bits, 1)

    def loss(variables: dict[str, Any], key: Array, batch: dict[str, Array]) -> tuple:
        mask_key, drop_key = jax.random.split(key)
        drawn = degrees(gmade.pick_index(mask_key, settings["num_masks"]))
        nats = num_bits * density.loss(variables["params"], bits(batch), drawn, drop_key)
        return nats, (variables, {"loss": nats})

    def score(variables: dict[str, Any], batch: dict[str, Array]) -> Float[Array, " batch"]:
        every = jax.vmap(degrees)(jnp.arange(settings["num_test_masks"], dtype=jnp.uint32))
        return -gmade.mean_log_prob(density, variables["params"], bits(batch), every)

    def explain(variables: dict[str, Any], batch: dict[str, Array]) -> Array:
        first = degrees(jnp.zeros((), jnp.uint32))
        nats = -density.log_prob(variables["params"], bits(batch), first)
        return nats.reshape(len(nats), 1, num_bits)

    return Method(init, loss, score, explain)


def _order(settings: dict[str, Any]) -> tuple[int, ...] | None:
    """The fixed order of bits, as they come; None where every mask has its own."""
    return tuple(range(settings["num_bits"])) if settings["fixed_order"] else None


def _check(settings: dict[str, Any]) -> None:
    hidden, num_masks = settings["hidden"], settings["num_masks"]
    if not hidden or min(hidden) < 1:
        raise ConfigError(f"model.hidden={hidden} must be widths of 1 or more")
    if settings["activation"] not in ACTIVATIONS:
        known = ", ".join(ACTIVATIONS)
        raise ConfigError(f"model.activation={settings['activation']!r} is not known: use {known}")
    if not 0 <= settings["dropout_rate"] < 1:
        raise ConfigError(f"model.dropout_rate={settings['dropout_rate']} must be in [0, 1)")
    if num_masks < 0:
        raise ConfigError(f"model.num_masks={num_masks} must be 1 or more, or 0 for no end")
    for name in ("num_valid_masks", "num_test_masks"):
        if settings[name] < 1 or 0 < num_masks < settings[name]:
            raise ConfigError(
                f"model.{name}={settings[name]} must be 1 or more, and at most model.num_masks"
            )
