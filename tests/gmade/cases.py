"""Orderings to test on, and densities of them small enough to test."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gmade
from gmade import blocks, network
from gmade.ordering import adjacency_from_ranks, frame_ranks, regroup

KEY = jax.random.key(0)
# Optimised as in use, where other programs of tests are not: see tests/conftest.py.
jit_as_in_use = partial(
    jax.jit,
    compiler_options={"xla_backend_optimization_level": 3, "xla_cpu_use_fusion_emitters": True},
)


def partial_order(groups, *pairs):
    order = np.zeros((groups, groups), bool)
    order[tuple(zip(*pairs, strict=True))] = True
    return order


ORDERS = {
    "causal": adjacency_from_ranks(frame_ranks("causal", 5)),
    "reversed": adjacency_from_ranks(frame_ranks("reversed", 4)),
    "middle_last": adjacency_from_ranks(frame_ranks("middle_last", 5)),
    "idnn": adjacency_from_ranks((0, 0, 1, 0, 0)),
    "permuted": adjacency_from_ranks((2, 0, 3, 1)),
    "diamond": partial_order(4, (1, 0), (2, 0), (3, 0), (3, 1), (3, 2)),
    "two_chains": partial_order(5, (2, 0), (3, 1), (4, 0), (4, 2)),
    "one_group": np.zeros((1, 1), bool),
    "made": regroup(adjacency_from_ranks((0, 1)), 3),
}


HEADS = {
    "gaussian": gmade.gaussian(),
    "mixture": gmade.mixture_of_gaussians(3),
    "padded": gmade.mixture_of_gaussians(2, 4),
    "bernoulli": gmade.bernoulli(),
}


def group_size(name):
    return 1 if name == "made" else 3


def build(order, size=3, hidden=(32, 32), head=None, activation=jnp.tanh, **kwargs):
    head = head or gmade.mixture_of_gaussians(2)
    return gmade.group_made(order, size, hidden, head, activation=activation, **kwargs)


def build_fine(*args, **kwargs):
    """The same density cut wherever it can be, as only much larger ones are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "MIN_COLUMNS", 1)
        patch.setattr(network, "BLOCK_BINS", 1)
        return build(*args, **kwargs)


def random_params(density, scale=1.0, seed=0):
    """Weights large enough that every path through the network can be seen."""
    rng = np.random.default_rng(seed)

    def draw(leaf):
        fan_in = leaf.shape[0] if leaf.ndim > 1 else 4
        values = scale * rng.normal(size=leaf.shape) / np.sqrt(fan_in)
        return jnp.asarray(values.astype(np.float32))

    return jax.tree.map(draw, jax.eval_shape(density.init, KEY))


def window(batch, groups, size, seed=0):
    values = np.random.default_rng(seed).normal(size=(batch, groups, size))
    return jnp.asarray(values.astype(np.float32))


def assert_close(actual, expected, tolerance=1e-5):
    """Equal trees of arrays, up to a share of each array's largest entry."""
    actual, expected = jax.tree.leaves_with_path(actual), jax.tree.leaves_with_path(expected)
    for (path, one), (other_path, other) in zip(actual, expected, strict=True):
        assert path == other_path and one.shape == other.shape
        one, other = np.asarray(one, np.float64), np.asarray(other, np.float64)
        largest = np.abs(other).max(initial=0)
        np.testing.assert_allclose(one, other, rtol=0, atol=tolerance * largest, err_msg=str(path))
