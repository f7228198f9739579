"""MADE that is agnostic of its masks: one set of weights under any ordering and connectivity.

h(x)   = g(b + (W * M_W) x + (U * M_W) 1)
out(x) = c + (V * M_V) h(x) + (A * M_A) x + (U' * M_V) 1

Germain et al., "MADE" (ICML 2015), section 4, for groups of bins. Masks are computed from degrees
inside the program, so that a step with other masks is the same program with other arguments. All
weights are stored and multiplied, masked or not; where masks never change, `gmade.group_made` is
the same density and does less.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from gmade.blocks import Block, equal_runs
from gmade.degrees import Degrees, masks
from gmade.fused import block_log_prob, block_nll, outputs
from gmade.heads import Head
from gmade.network import BLOCK_BINS, Activation, Params, dropout, init_head_block


class AgnosticDensity(NamedTuple):
    """A density of windows under any masks, as pure functions.

    Attributes:
        init: `(key) -> params`.
        log_prob: `(params, x (batch, groups, bins), degrees, key or None) -> (batch, groups,
            bins)`, nats per bin. With a key, in training, hidden units are dropped.
        loss: `(params, x, degrees, key or None) -> ()`, minus the mean of `log_prob`, nats per bin,
            its gradient taken in the same pass.
        sample: `(params, key, batch_size, degrees) -> (batch, groups, bins)`, drawn group by group
            in the ordering.
    """

    init: Callable[[PRNGKeyArray], Params]
    log_prob: Callable[..., Array]
    loss: Callable[..., Array]
    sample: Callable[..., Array]


def agnostic_made(
    num_groups: int,
    group_size: int,
    hidden: Sequence[int],
    head: Head,
    direct: bool = False,
    condition_on_masks: bool = False,
    activation: Activation = jax.nn.relu,
    dropout_rate: float = 0.0,
) -> AgnosticDensity:
    """Builds a Group MADE whose masks are an argument.

    Args:
        num_groups: groups in a window.
        group_size: bins in a group; 1 for MADE.
        hidden: units of each hidden layer.
        head: the density of a bin given the network's output.
        direct: whether the outputs also read, linearly, the groups they may see.
        condition_on_masks: whether units and outputs are told what they may read, by weights of
            their own that are masked alike and multiply ones.
        activation: nonlinearity of the hidden layers.
        dropout_rate: share of hidden units silenced when a function is given a key.

    Returns:
        The density's pure functions.
    """
    num_bins = num_groups * group_size
    runs = equal_runs(num_bins, max(1, BLOCK_BINS // group_size) * group_size)

    def init(key: PRNGKeyArray) -> Params:
        head_key, *keys = jax.random.split(key, 1 + len(hidden))
        widths = pairwise([num_bins, *hidden])
        layers = [init_layer(*each) for each in zip(keys, widths, strict=True)]
        units = Block(range(num_bins), hidden[-1], None)
        inputs = units._replace(prefix=num_bins if direct else 0)
        last = init_head_block(head_key, units, inputs, head.bias)
        if condition_on_masks:
            layers = [{**layer, "u": jnp.zeros_like(layer["w"])} for layer in layers]
            last["u"] = jnp.zeros_like(last["w"])
        return {"trunk": layers, "head": last}

    def block_inputs(
        params: Params, x: Array, degrees: Degrees, key: PRNGKeyArray | None = None
    ) -> list[tuple[Array, Array, Array, Array]]:
        """What each run of bins is modelled by: what it reads, weights, bias; and the bins."""
        drop, mask = dropout(key, dropout_rate), masks(degrees, group_size)
        h = bins = x.reshape(len(x), -1)
        for i, (layer, readable) in enumerate(zip(params["trunk"], mask.trunk, strict=True)):
            w, b = masked_layer(layer, readable)
            h = drop(i, activation(h @ w + b[None]))
        w, b = masked_layer(params["head"], mask.head)
        if direct:
            h = jnp.concatenate([h, bins], axis=1)
            w = jnp.concatenate([w, masked_weights(params["head"]["direct"], mask.direct)])
        cuts = [slice(run.start, run.stop) for run in runs]
        return [(h, w[..., cut], b[..., cut], bins[:, cut]) for cut in cuts]

    def log_prob(
        params: Params,
        x: Float[Array, "batch groups bins"],
        degrees: Degrees,
        key: PRNGKeyArray | None = None,
    ) -> Float[Array, "batch groups bins"]:
        inputs = block_inputs(params, x, degrees, key)
        terms = [block_log_prob(head.log_prob, *each, jnp.float32) for each in inputs]
        return jnp.concatenate(terms, axis=1).reshape(x.shape)

    def loss(
        params: Params,
        x: Float[Array, "batch groups bins"],
        degrees: Degrees,
        key: PRNGKeyArray | None = None,
    ) -> Float[Array, ""]:
        inputs = block_inputs(params, x, degrees, key)
        terms = [block_nll(head.log_prob, *each, jnp.float32) for each in inputs]
        return sum(terms, jnp.zeros(())) / x.size

    def sample(
        params: Params, key: PRNGKeyArray, batch_size: int, degrees: Degrees
    ) -> Float[Array, "batch groups bins"]:
        def draw(rank: Array, x: Array) -> Array:
            keys = jax.random.split(jax.random.fold_in(key, rank), len(runs))
            drawn = [
                head.sample(subkey, outputs(h, w, b, jnp.float32))
                for subkey, (h, w, b, _) in zip(keys, block_inputs(params, x, degrees), strict=True)
            ]
            due = (degrees.groups == rank)[None, :, None]
            return jnp.where(due, jnp.concatenate(drawn, axis=1).reshape(x.shape), x)

        start = jnp.zeros((batch_size, num_groups, group_size))
        return jax.lax.fori_loop(0, num_groups, draw, start)

    return AgnosticDensity(init, log_prob, loss, sample)


def init_layer(key: PRNGKeyArray, shape: tuple[int, int]) -> Params:
    """He-normal weights, scaled by the inputs that masks leave a unit on average, half of them.

    A weight is under many masks, so that no scale suits all; at this one a unit's power, averaged
    over masks, is that of a static network's.
    """
    inputs, width = shape
    scale = math.sqrt(2 / (inputs / 2))
    return {"w": scale * jax.random.normal(key, shape), "b": jnp.zeros(width)}


def masked_weights(
    w: Float[Array, "rows *shape columns"], mask: Bool[Array, "rows columns"]
) -> Float[Array, "rows *shape columns"]:
    """Weights, zero where the mask is; the axes between rows and columns are not masked."""
    return jnp.where(mask.reshape(len(w), *(1,) * (w.ndim - 2), -1), w, 0.0)


def masked_layer(params: Params, mask: Bool[Array, "rows columns"]) -> tuple[Array, Array]:
    """A layer's weights and bias under a mask; its weights of ones, if any, add to the bias."""
    told = masked_weights(params["u"], mask).sum(axis=0) if "u" in params else 0.0
    return masked_weights(params["w"], mask), params["b"] + told


def mean_log_prob(
    density: AgnosticDensity,
    params: Params,
    x: Float[Array, "batch groups bins"],
    degrees: Degrees,
) -> Float[Array, " batch"]:
    """The density of a mixture of a model under K masks, log (1/K sum_k p(x | masks k)).

    One at a time, so that memory does not grow with their number (Germain et al., section 4.2).

    Args:
        density: the model.
        params: its parameters.
        x: the windows.
        degrees: of all K, stacked along a first axis, as `jax.vmap` of `listed_degrees` does.

    Returns:
        Joint log-density, in nats.
    """

    def add(total: Array, each: Degrees) -> tuple[Array, None]:
        return jnp.logaddexp(total, density.log_prob(params, x, each).sum((1, 2))), None

    total, _ = jax.lax.scan(add, jnp.full(len(x), -jnp.inf), degrees)
    return total - jnp.log(len(degrees.groups))
