"""Group MADE: the density of a window as a product of conditionals over groups.

log p(x) = sum_i sum_j log p(x_ij | x_pred(i)),   x of shape (groups, bins)     (Giri et al., eq. 3)

The bins of a group are independent given the groups it sees. MADE is the case of one bin a group,
and a single group is an unconditional density.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, DTypeLike, Float, PRNGKeyArray

from gmade.fused import block_log_prob, block_nll, outputs
from gmade.heads import Head
from gmade.network import (
    Activation,
    Params,
    dropout,
    head_inputs,
    init_head_block,
    init_trunk,
    seen_bins,
    structure,
    trunk,
)
from gmade.ordering import check_adjacency, depths


class Density(NamedTuple):
    """A conditional density over the target groups of a window, as pure functions.

    Attributes:
        init: `(key) -> params`.
        log_prob: `(params, x (batch, groups, bins), context (batch,) or None, key or None)
            -> (batch, targets, bins)`, nats per bin; sum over bins for a group's log-density, over
            groups as well for the joint. With a key, in training, hidden units are dropped.
        loss: `(params, x, context or None, key or None) -> ()`, minus the mean of `log_prob`, nats
            per bin. Its gradient is taken in the same pass and costs a fraction of what that of
            `log_prob` does, in time and in memory.
        sample: `(params, key, x (batch, groups, bins), context or None, groups) -> (batch, groups,
            bins)`: x with some target groups drawn anew, none named meaning all, each from its
            conditional, ancestors first: as many passes as their longest chain has groups.
        targets: the groups modelled, in the order `log_prob` returns them.
    """

    init: Callable[[PRNGKeyArray], Params]
    log_prob: Callable[..., Array]
    loss: Callable[..., Array]
    sample: Callable[..., Array]
    targets: tuple[int, ...]


def group_made(
    adjacency: Bool[np.ndarray, "groups groups"],
    group_size: int,
    hidden: Sequence[int],
    head: Head,
    targets: Sequence[int] = (),
    num_contexts: int = 0,
    activation: Activation = jax.nn.relu,
    dropout_rate: float = 0.0,
    dtype: DTypeLike = jnp.float32,
    direct: bool = False,
) -> Density:
    """Builds a Group MADE.

    Args:
        adjacency: who may see whom, a strict partial order (see `gmade.ordering`).
        group_size: bins in a group.
        hidden: units of each hidden layer.
        head: the density of a bin given the network's output.
        targets: the groups to model, none meaning all; no other group's density is computed.
        num_contexts: how many contexts (machine ids) there are; 0 leaves the context out.
        activation: nonlinearity of the hidden layers.
        dropout_rate: share of hidden units silenced when a function is given a key.
        dtype: of the factors of every matrix product, such as `jnp.bfloat16`, and of the hidden
            units' sums; parameters of bins and their likelihood are float32.
        direct: whether the outputs also read, linearly, the groups they may see (Germain et al.,
            section 4), so that no path is lost however narrow a layer is.

    Returns:
        The density's pure functions.

    Raises:
        ValueError: the adjacency is no partial order, or a target is not a group.
    """
    check_adjacency(adjacency)
    targets = tuple(targets) or tuple(range(len(adjacency)))
    if not set(targets) <= set(range(len(adjacency))):
        raise ValueError(f"target groups {targets} are not all among 0 to {len(adjacency) - 1}")
    net = structure(adjacency[list(targets)], group_size, hidden, num_contexts, direct)

    def init(key: PRNGKeyArray) -> Params:
        trunk_key, *keys = jax.random.split(key, 1 + len(net.head))
        head_params = [
            init_head_block(subkey, block, inputs, head.bias)
            for subkey, block, inputs in zip(keys, net.head, net.direct, strict=True)
        ]
        return {"trunk": init_trunk(trunk_key, net), "head": head_params}

    def block_inputs(
        params: Params, x: Array, context: Array | None, key: PRNGKeyArray | None = None
    ) -> list[tuple[Array, Array, Array]]:
        """What each block's parameters are made of: what it reads, weights, bias."""
        drop = dropout(key, dropout_rate)
        h = trunk(params["trunk"], net, activation, x, context, drop, dtype)
        seen = seen_bins(x, net)
        return [
            head_inputs(each, block, inputs, h, seen)
            for each, block, inputs in zip(params["head"], net.head, net.direct, strict=True)
        ]

    def target_bins(x: Array) -> list[Array]:
        flat = x[:, list(targets)].reshape(len(x), -1)
        return [flat[:, block.columns.start : block.columns.stop] for block in net.head]

    def log_prob(
        params: Params,
        x: Float[Array, "batch groups bins"],
        context: Array | None = None,
        key: PRNGKeyArray | None = None,
    ) -> Float[Array, "batch targets bins"]:
        inputs = block_inputs(params, x, context, key)
        terms = [
            block_log_prob(head.log_prob, *block, bins, dtype)
            for block, bins in zip(inputs, target_bins(x), strict=True)
        ]
        return jnp.concatenate(terms, axis=1).reshape(len(x), len(targets), group_size)

    def loss(
        params: Params,
        x: Float[Array, "batch groups bins"],
        context: Array | None = None,
        key: PRNGKeyArray | None = None,
    ) -> Float[Array, ""]:
        inputs = block_inputs(params, x, context, key)
        terms = [
            block_nll(head.log_prob, *block, bins, dtype)
            for block, bins in zip(inputs, target_bins(x), strict=True)
        ]
        return sum(terms, jnp.zeros(())) / (len(x) * len(targets) * group_size)

    def sample(
        params: Params,
        key: PRNGKeyArray,
        x: Float[Array, "batch groups bins"],
        context: Array | None = None,
        groups: Sequence[int] = (),
    ) -> Float[Array, "batch groups bins"]:
        drawn = list(groups or targets)
        if not set(drawn) <= set(targets):
            raise ValueError(f"groups {tuple(drawn)} are not all among the targets {targets}")
        # The level at which each target is drawn; -1 for those that stay as they are.
        level_of = np.full(len(targets), -1)
        level_of[[targets.index(g) for g in drawn]] = depths(adjacency[np.ix_(drawn, drawn)])
        block_of = [np.array(block.columns)[::group_size] // group_size for block in net.head]
        needed = [i for i, members in enumerate(block_of) if (level_of[members] >= 0).any()]
        members = np.concatenate([block_of[i] for i in needed])
        where = np.asarray(targets)[members]

        def draw(level: Array, x: Array) -> Array:
            keys = jax.random.split(jax.random.fold_in(key, level), len(net.head))
            inputs, new = block_inputs(params, x, context), []
            for i in needed:
                h, w, b = inputs[i]
                every = jnp.broadcast_to(outputs(h, w, b, dtype), (len(x), *b.shape))
                new.append(head.sample(keys[i], every))
            bins = jnp.concatenate(new, axis=1).reshape(len(x), len(members), group_size)
            due = jnp.asarray(level_of[members])[None, :, None] == level
            return x.at[:, where].set(jnp.where(due, bins, x[:, where]))

        return jax.lax.fori_loop(0, int(level_of.max()) + 1, draw, x)

    return Density(init, log_prob, loss, sample, targets)
