"""The plain dense masked formulation, written out from the definitions: what blocks must equal.

All weights are there, those that are masked too, and all parameters of a batch are materialised.
A unit sees one of the sets of groups that some target sees; it may read an input, or another unit,
and be read by a target, only if that adds nothing to what the reader sees.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np


class Oracle(NamedTuple):
    """The masks `(rows, columns)` of the hidden layers and of the outputs, and what they mask.

    Attributes:
        trunk: one mask for each hidden layer; the first has a row for every input there is.
        head: of the outputs, a column for each bin of the targets.
        scatter: from a density's blocks, or gradients for them, to dense matrices.
        log_prob: `(scattered params, x, context=None) -> (batch, targets, bins)`.
    """

    trunk: list
    head: np.ndarray
    scatter: object
    log_prob: object


def dense(
    adjacency, size, hidden, log_pdf, targets=(), num_contexts=0, activation=jnp.tanh, direct=False
):
    groups = range(len(adjacency))
    sees = [frozenset(np.flatnonzero(row).tolist()) for row in adjacency]
    targets = list(targets or groups)
    views = views_of([sees[target] for target in targets], len(adjacency), num_contexts > 0)
    layers = [[views[degree(unit, width, len(views))] for unit in range(width)] for width in hidden]
    first = table([[group in view for view in layers[0]] for group in groups for _ in range(size)])
    rest = [
        table([[inner <= outer for outer in layers[i + 1]] for inner in layers[i]])
        for i in range(len(hidden) - 1)
    ]
    head = table(
        [[v <= sees[target] for target in targets for _ in range(size)] for v in layers[-1]]
    )
    visible = table(
        [[group in sees[target] for target in targets for _ in range(size)] for group in groups]
    ).repeat(size, axis=0)
    masks = [first, *rest]
    rows = input_rows(views, size)

    def scatter(params):
        layers = zip(params["trunk"]["layers"], masks, strict=True)
        trunk = [scattered(blocks, mask) for blocks, mask in layers]
        trunk[0]["w"] = among_all_inputs(trunk[0]["w"], rows)
        every = {"trunk": trunk, "head": scattered(params["head"], head)}
        if num_contexts:
            every["context"] = np.asarray(params["trunk"]["context"])
        if direct:
            w = scattered(params["head"], visible, "direct")["direct"]
            every["head"]["direct"] = among_all_inputs(w, rows)
        return every

    def log_prob(params, x, context=None):
        h = x.reshape(len(x), -1)
        for i, (layer, mask) in enumerate(zip(params["trunk"], masks, strict=True)):
            h = h @ jnp.where(mask, layer["w"], 0) + layer["b"][None]
            if i == 0 and context is not None:
                h = h + params["context"][context]
            h = activation(h)
        w, b = params["head"]["w"], params["head"]["b"]
        between = (1,) * (w.ndim - 2)
        w = jnp.where(head.reshape(len(head), *between, -1), w, 0)
        outputs = jnp.tensordot(h, w, 1) + b[None]
        if direct:
            w = params["head"]["direct"]
            w = jnp.where(visible.reshape(len(visible), *between, -1), w, 0)
            outputs += jnp.tensordot(x.reshape(len(x), -1), w, 1)
        bins = x[:, targets].reshape(len(x), -1)
        return log_pdf(outputs, bins).reshape(len(x), len(targets), size)

    return Oracle(masks, head, scatter, log_prob)


def table(rows):
    return np.asarray(rows, bool)


def views_of(seen, num_groups, has_context):
    """The distinct sets that targets see, small ones first; none that is empty and has no use."""
    key = lambda view: (len(view), [group in view for group in range(num_groups)])  # noqa: E731
    views = sorted(set(seen), key=key)
    return views if has_context or len(views) == 1 else [view for view in views if view]


def degree(unit, width, num_views):
    """How many of the marks that part a layer into even shares its end lies beyond."""
    return sum((unit + 1) * num_views > mark * width for mark in range(1, num_views))


def input_rows(views, size):
    """Where each row of a density's first layer lies among all bins: small views' come first."""
    first = {group: i for i, view in reversed(list(enumerate(views))) for group in view}
    groups = sorted(first, key=lambda group: (first[group], group))
    return np.array([group * size + i for group in groups for i in range(size)], int)


def among_all_inputs(w, rows):
    """Weights that are for some inputs only, with zeros for the others."""
    every = np.zeros_like(w)
    every[rows] = w[: len(rows)]
    return every


def scattered(blocks, mask, name="w"):
    """Blocks side by side, each with rows of zeros below those it has."""
    b = np.concatenate([block["b"] for block in blocks], axis=-1)
    w = np.zeros((len(mask), *b.shape), b.dtype)
    start = 0
    for block in blocks:
        stop = start + block["b"].shape[-1]
        if name in block:
            w[: len(block[name]), ..., start:stop] = block[name]
        start = stop
    assert start == mask.shape[1]
    return {name: w, "b": b}


def bernoulli_log_pdf(logit, x):
    p = jax.nn.sigmoid(logit)
    return jnp.log(jnp.where(x == 1, p, 1 - p))


def gaussian_log_pdf(params, x):
    return normal_log_pdf(x, params[:, 0], params[:, 1])


def mixture_log_pdf(params, x):
    x = jnp.broadcast_to(x[:, None], params[:, 1].shape)
    terms = normal_log_pdf(x, params[:, 1], params[:, 2])
    return jax.nn.logsumexp(jax.nn.log_softmax(params[:, 0], axis=1) + terms, axis=1)


def normal_log_pdf(x, mean, log_scale):
    return jax.scipy.stats.norm.logpdf(x, mean, jnp.exp(jnp.maximum(log_scale, -3.0)))


def in_float64(function, *args):
    """A function's value where rounding errors are not its own."""
    with jax.enable_x64(True):
        return jax.tree.map(np.asarray, jax.jit(function)(*jax.tree.map(_widened, args)))


def _widened(leaf):
    return np.asarray(leaf, np.float64 if leaf.dtype == np.float32 else leaf.dtype)
