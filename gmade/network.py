"""The masked network: hidden layers that respect an adjacency, and blocks of outputs.

All structure (masks, prefixes) is numpy, settled before tracing; parameters are plain dicts.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from gmade.masks import distinct_views, head_mask, trunk_masks

# Outputs are made in blocks of about this many bins: whole frames, or runs of single bins.
BLOCK_BINS = 128

Activation = Callable[[Array], Array]


class Block(NamedTuple):
    """Consecutive target groups whose outputs are computed by one product.

    Attributes:
        groups: positions among the targets.
        prefix: how many of the last hidden layer's units, sorted by degree, the block reads.
        mask: `(prefix, bins)` where the prefix alone does not say it, else None.
    """

    groups: range
    prefix: int
    mask: np.ndarray | None


class Structure(NamedTuple):
    """What is fixed about a network before it has any weights."""

    trunk: list[np.ndarray]
    blocks: list[Block]
    num_contexts: int


def structure(
    adjacency: Bool[np.ndarray, "targets groups"],
    group_size: int,
    widths: tuple[int, ...],
    num_contexts: int,
) -> Structure:
    """The masks and blocks of a network whose outputs are the target groups.

    Args:
        adjacency: for each target group, the groups it may see.
        group_size: bins in a group.
        widths: units of each hidden layer.
        num_contexts: distinct contexts, visible to every unit; 0 for none.
    """
    views = distinct_views(adjacency, num_contexts > 0)
    readable = head_mask(views, widths[-1], adjacency)
    per_block = max(1, BLOCK_BINS // group_size)
    starts = range(0, len(adjacency), per_block)
    runs = [range(start, min(start + per_block, len(adjacency))) for start in starts]
    blocks = [_block(run, readable[:, run.start : run.stop], group_size) for run in runs]
    return Structure(trunk_masks(views, group_size, widths), blocks, num_contexts)


def _block(groups: range, readable: Bool[np.ndarray, "units run"], group_size: int) -> Block:
    seen = np.flatnonzero(readable.any(axis=1))
    prefix = int(seen[-1]) + 1 if seen.size else 0
    readable = readable[:prefix]
    mask = None if readable.all() else np.repeat(readable, group_size, axis=1)
    return Block(groups, prefix, mask)


def init_trunk(key: PRNGKeyArray, net: Structure) -> list[dict[str, Array]]:
    """He-normal weights, scaled by the inputs a unit really has (its mask's column)."""
    layers = []
    for mask, subkey in zip(net.trunk, jax.random.split(key, len(net.trunk)), strict=True):
        fan_in = np.maximum(mask.sum(axis=0, keepdims=True), 1)
        scale = np.sqrt(2 / fan_in, dtype=np.float32)
        w = scale * jax.random.normal(subkey, mask.shape)
        layers.append({"w": jnp.where(mask, w, 0.0), "b": jnp.zeros(mask.shape[1])})
    if net.num_contexts:
        shape = (net.num_contexts, net.trunk[0].shape[1])
        layers[0]["context"] = 0.5 * jax.random.normal(jax.random.fold_in(key, 1), shape)
    return layers


def trunk(
    layers: list[dict[str, Array]],
    net: Structure,
    activation: Activation,
    x: Float[Array, "batch inputs"],
    context: Array | None,
    drop: Callable[[int, Array], Array],
) -> Float[Array, "batch units"]:
    """The last hidden layer; `drop(layer, units)` is what dropout leaves of each."""
    h = x
    for i, (layer, mask) in enumerate(zip(layers, net.trunk, strict=True)):
        out = h @ jnp.where(mask, layer["w"], 0.0) + layer["b"][None]
        if i == 0 and context is not None:
            out += layer["context"][context]
        h = drop(i, activation(out))
    return h


def dropout(key: PRNGKeyArray | None, rate: float) -> Callable[[int, Array], Array]:
    """Silences units at random and scales up the rest; without a key, all units speak."""
    if key is None or rate == 0:
        return lambda layer, units: units

    def drop(layer: int, units: Array) -> Array:
        kept = jax.random.bernoulli(jax.random.fold_in(key, layer), 1 - rate, units.shape)
        return jnp.where(kept, units / (1 - rate), 0.0)

    return drop


def init_block(
    key: PRNGKeyArray, block: Block, bias: np.ndarray, group_size: int
) -> dict[str, Array]:
    """Small weights, so that every density starts close to the head's own `bias`.

    A block that sees nothing has a bias alone.
    """
    bins = len(block.groups) * group_size
    b = jnp.broadcast_to(bias[..., None], (*bias.shape, bins))
    if not block.prefix:
        return {"b": b}
    scale = 0.1 / np.sqrt(block.prefix)
    return {"w": scale * jax.random.normal(key, (block.prefix, *bias.shape, bins)), "b": b}


def block_output(
    params: dict[str, Array], block: Block, h: Float[Array, "batch units"]
) -> Float[Array, "batch *shape bins"]:
    """The head's parameters for every bin of a block."""
    if not block.prefix:
        return jnp.broadcast_to(params["b"][None], (len(h), *params["b"].shape))
    w = params["w"]
    if block.mask is not None:
        mask = block.mask.reshape(block.prefix, *(1,) * (w.ndim - 2), -1)
        w = jnp.where(mask, w, 0.0)
    return jnp.tensordot(h[:, : block.prefix], w, axes=1) + params["b"][None]
