"""The masked network: hidden layers that respect an adjacency, and blocks of outputs.

All structure (orders, prefixes, masks) is numpy, settled before tracing; parameters are plain
dicts, and weights are kept only for the blocks that are multiplied.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, DTypeLike, Float, PRNGKeyArray

from gmade.blocks import Block, cut, equal_runs, masked, runs_of_one_prefix
from gmade.masks import distinct_views, head_mask, seen_groups, trunk_masks

# Outputs are made in blocks of about this many bins: whole frames, or runs of single bins.
BLOCK_BINS = 128

Activation = Callable[[Array], Array]
Params = dict[str, Any]


class Structure(NamedTuple):
    """What is fixed about a network before it has any weights.

    Attributes:
        seen: the groups that are its input, in the order of its first layer's rows.
        trunk: each hidden layer's blocks.
        head: the blocks of outputs; their columns are bins of the targets, end to end.
        direct: the same blocks again, their rows the input itself; without prefix where there are
            no direct connections.
        num_contexts: distinct contexts, visible to every unit; 0 for none.
        width: units of the first hidden layer.
    """

    seen: np.ndarray
    trunk: list[list[Block]]
    head: list[Block]
    direct: list[Block]
    num_contexts: int
    width: int


def structure(
    adjacency: Bool[np.ndarray, "targets groups"],
    group_size: int,
    widths: Sequence[int],
    num_contexts: int,
    direct: bool = False,
) -> Structure:
    """The blocks of a network whose outputs are the target groups.

    Args:
        adjacency: for each target group, the groups it may see.
        group_size: bins in a group.
        widths: units of each hidden layer.
        num_contexts: distinct contexts, visible to every unit; 0 for none.
        direct: whether outputs also read, linearly, the groups they may see.
    """
    views = distinct_views(adjacency, num_contexts > 0)
    trunk = [cut(m, runs_of_one_prefix(m)) for m in trunk_masks(views, group_size, tuple(widths))]
    readable = np.repeat(head_mask(views, widths[-1], adjacency), group_size, axis=1)
    seen = seen_groups(views)
    visible = np.kron(adjacency[:, seen].T & direct, np.ones((group_size, group_size), bool))
    groups_a_block = max(1, BLOCK_BINS // group_size)
    runs = equal_runs(readable.shape[1], groups_a_block * group_size)
    return Structure(seen, trunk, cut(readable, runs), cut(visible, runs), num_contexts, widths[0])


def init_trunk(key: PRNGKeyArray, net: Structure) -> Params:
    """He-normal weights, scaled by the inputs a unit really has (its mask's column)."""
    layers = [
        [
            init_unit_block(k, b)
            for k, b in zip(jax.random.split(sub, len(layer)), layer, strict=True)
        ]
        for sub, layer in zip(jax.random.split(key, len(net.trunk)), net.trunk, strict=True)
    ]
    if not net.num_contexts:
        return {"layers": layers}
    shape = (net.num_contexts, net.width)
    return {"layers": layers, "context": 0.5 * jax.random.normal(jax.random.fold_in(key, 1), shape)}


def init_unit_block(key: PRNGKeyArray, block: Block) -> Params:
    """Weights of some of a layer's units; units that see nothing have a bias alone."""
    b = jnp.zeros(len(block.columns))
    if not block.prefix:
        return {"b": b}
    fan_in = block.prefix if block.mask is None else np.maximum(block.mask.sum(0, keepdims=True), 1)
    scale = np.sqrt(2 / fan_in, dtype=np.float32)
    w = scale * jax.random.normal(key, (block.prefix, len(block.columns)))
    return {"w": masked(w, block), "b": b}


def init_head_block(key: PRNGKeyArray, block: Block, direct: Block, bias: np.ndarray) -> Params:
    """Small weights, so that every density starts close to the head's own `bias`.

    Direct weights are zero: a network starts as the one without them, and their gradient is not.
    """
    bins = len(block.columns)
    params = {"b": jnp.broadcast_to(bias[..., None], (*bias.shape, bins))}
    if block.prefix:
        scale = 0.1 / np.sqrt(block.prefix)
        params["w"] = scale * jax.random.normal(key, (block.prefix, *bias.shape, bins))
    if direct.prefix:
        params["direct"] = jnp.zeros((direct.prefix, *bias.shape, bins))
    return params


def weights(params: Params, block: Block, name: str = "w") -> Float[Array, "prefix *columns"]:
    """A block's masked weights; `(0, ...)` where it reads nothing."""
    return masked(params[name], block) if block.prefix else jnp.zeros((0, *params["b"].shape))


def head_inputs(
    params: Params,
    block: Block,
    direct: Block,
    h: Float[Array, "batch units"],
    seen: Float[Array, "batch inputs"],
) -> tuple[Array, Array, Array]:
    """What a block of outputs is made of: all that it reads, its weights and its bias."""
    read, w = h[:, : block.prefix], weights(params, block)
    if direct.prefix:
        read = jnp.concatenate([read, seen[:, : direct.prefix]], axis=1)
        w = jnp.concatenate([w, weights(params, direct, "direct")])
    return read, w, params["b"]


def trunk(
    params: Params,
    net: Structure,
    activation: Activation,
    x: Float[Array, "batch groups bins"],
    context: Array | None,
    drop: Callable[[int, Array], Array],
    dtype: DTypeLike,
) -> Float[Array, "batch units"]:
    """The last hidden layer.

    Args:
        params: of `init_trunk`.
        net: the structure.
        activation: nonlinearity.
        x: the window.
        context: (batch,) indices, or None.
        drop: `(layer, units)` is what dropout leaves of a layer.
        dtype: of the factors of each product.
    """
    h = seen_bins(x, net)
    for i, (layer, blocks) in enumerate(zip(params["layers"], net.trunk, strict=True)):
        h = h.astype(dtype)
        parts = [
            (h[:, : block.prefix] @ weights(each, block).astype(dtype)).astype(x.dtype)
            + each["b"][None]
            for each, block in zip(layer, blocks, strict=True)
        ]
        out = jnp.concatenate(parts, axis=1)
        if i == 0 and context is not None:
            out += params["context"][context]
        h = drop(i, activation(out))
    return h


def seen_bins(x: Float[Array, "batch groups bins"], net: Structure) -> Float[Array, "batch inputs"]:
    """The network's input, without a gather where the groups it sees are neighbours."""
    seen = net.seen
    first, last = (int(seen[0]), int(seen[-1])) if len(seen) else (0, -1)
    neighbours = np.array_equal(seen, np.arange(first, last + 1))
    groups = x[:, first : last + 1] if neighbours else x[:, seen]
    return groups.reshape(len(x), -1)


def dropout(key: PRNGKeyArray | None, rate: float) -> Callable[[int, Array], Array]:
    """Silences units at random and scales up the rest; without a key, all units speak."""
    if key is None or rate == 0:
        return lambda layer, units: units

    def drop(layer: int, units: Array) -> Array:
        kept = jax.random.bernoulli(jax.random.fold_in(key, layer), 1 - rate, units.shape)
        return jnp.where(kept, units / (1 - rate), 0.0)

    return drop
