"""The likelihood of a block of bins, fused with the product that makes its parameters.

A mixture's parameters are thirty numbers a bin: written to memory for a whole batch, they and
their gradient cost more than all the rest of the network. Here they live for one block of bins
and one run of rows at a time. Since a loss is one number, the gradient is taken in the
same pass: when a block is left, all that stays of it is its share of the loss and of the gradients.
"""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, DTypeLike, Float

# Rows at a time on a CPU, so that a block's parameters stay in its cache. A gradient takes more at
# a time: its weights' share is added up after every run.
CPU_ROWS = 256
CPU_GRADIENT_ROWS = 512

LogProb = Callable[[Array, Array], Array]


def outputs(
    h: Float[Array, "batch prefix"],
    w: Float[Array, "prefix *shape bins"],
    b: Float[Array, "*shape bins"],
    dtype: DTypeLike,
) -> Float[Array, "rows *shape bins"]:
    """A head's parameters for a block of bins; factors as `dtype`, sums as float32.

    A block that reads nothing has one set of parameters for all rows, `(1, *shape, bins)`.
    """
    if not len(w):
        return b[None]
    flat = _product(h, w.reshape(len(w), b.size), dtype)
    return flat.reshape(len(h), *b.shape) + b[None]


def _product(a: Array, b: Array, dtype: DTypeLike) -> Array:
    return jnp.matmul(a.astype(dtype), b.astype(dtype), preferred_element_type=jnp.float32)


def _in_runs(array: Array, rows: int) -> Array:
    """`(runs, rows, ...)`: a batch cut up where that is faster."""
    batch = len(array)
    runs = batch // rows if jax.default_backend() == "cpu" and batch % rows == 0 else 1
    return array.reshape(runs, batch // runs, *array.shape[1:])


def block_log_prob(
    log_prob: LogProb,
    h: Float[Array, "batch prefix"],
    w: Float[Array, "prefix *shape bins"],
    b: Float[Array, "*shape bins"],
    x: Float[Array, "batch bins"],
    dtype: DTypeLike,
) -> Float[Array, "batch bins"]:
    """The log-density of every bin of a block, a run of rows at a time."""

    def run(rows: tuple[Array, Array]) -> Array:
        return log_prob(outputs(rows[0], w, b, dtype), rows[1])

    return jax.lax.map(run, (_in_runs(h, CPU_ROWS), _in_runs(x, CPU_ROWS))).reshape(x.shape)


def block_nll(
    log_prob: LogProb,
    h: Float[Array, "batch prefix"],
    w: Float[Array, "prefix *shape bins"],
    b: Float[Array, "*shape bins"],
    x: Float[Array, "batch bins"],
    dtype: DTypeLike,
) -> Float[Array, ""]:
    """Minus the sum of `block_log_prob`, with its gradient in one pass."""

    @jax.custom_vjp
    def nll(h: Array, w: Array, b: Array, x: Array) -> Array:
        return -block_log_prob(log_prob, h, w, b, x, dtype).sum()

    def forward(h: Array, w: Array, b: Array, x: Array) -> tuple[Array, tuple[Array, ...]]:
        flat = w.reshape(len(w), b.size)
        in_runs = partial(_in_runs, rows=CPU_GRADIENT_ROWS)

        def run(sums: tuple[Array, ...], rows: tuple[Array, Array]) -> tuple:
            h, x = rows
            params = outputs(h, w, b, dtype)
            value, pull_back = jax.vjp(lambda p, x: -log_prob(p, x).sum(), params, x)
            d_params, dx = pull_back(jnp.ones_like(value))
            d_flat, h = d_params.reshape(len(params), -1), h[: len(params)]
            new = (value, _product(h.T, d_flat, dtype), d_flat.sum(0).reshape(b.shape))
            dh = _product(d_flat, flat.T, dtype)
            return jax.tree.map(jnp.add, sums, new), (dh, dx)

        start = (jnp.zeros(()), jnp.zeros_like(flat), jnp.zeros_like(b))
        (value, dw, db), (dh, dx) = jax.lax.scan(run, start, (in_runs(h), in_runs(x)))
        return value, (dh.reshape(h.shape), dw.reshape(w.shape), db, dx.reshape(x.shape))

    def backward(gradients: tuple[Array, ...], g: Array) -> tuple[Array, ...]:
        return tuple(jax.tree.map(lambda each: g * each, gradients))

    nll.defvjp(forward, backward)
    return nll(h, w, b, x)
