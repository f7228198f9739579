"""The loss and its gradient, taken in one pass and a run of rows at a time."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gmade
from gmade import fused
from gmade.ordering import adjacency_from_ranks
from tests.gmade import oracle
from tests.gmade.cases import (
    KEY,
    ORDERS,
    assert_close,
    build,
    build_fine,
    jit_as_in_use,
    random_params,
    window,
)

# Rows of a batch and rows in a run: one run, several, and a batch that they do not divide.
BATCHES = [(4, 4), (12, 4), (10, 4)]


def nll(density):
    return lambda *args: -density.log_prob(*args).mean()


def assert_same(density, *args):
    """The loss is minus the mean log-density; so are its gradients, which are not all zero."""

    def every(*args):
        with_gradients = jax.value_and_grad(density.loss, (0, 1))(*args)
        expected = jax.value_and_grad(nll(density), (0, 1))(*args)
        return density.loss(*args), with_gradients, expected

    loss, with_gradients, expected = jax.jit(every)(*args)
    assert loss.shape == () and loss.dtype == jnp.float32
    assert_close(loss, expected[0])
    assert_close(with_gradients, expected)
    assert all(np.abs(leaf).max() > 0 for leaf in jax.tree.leaves(with_gradients))


def cut_into(monkeypatch, rows):
    monkeypatch.setattr(fused, "CPU_ROWS", rows)
    monkeypatch.setattr(fused, "CPU_GRADIENT_ROWS", rows)


@pytest.mark.parametrize("batch,rows", BATCHES)
def test_the_loss_is_minus_the_mean_log_density(monkeypatch, batch, rows):
    cut_into(monkeypatch, rows)
    density = build_fine(adjacency_from_ranks((1, 0, 2)), hidden=(16,))
    assert_same(density, random_params(density), window(batch, 3, 3))


@pytest.mark.parametrize("batch", [1024, 700])
def test_so_it_is_for_batches_larger_than_a_run(batch):
    density = build(ORDERS["two_chains"], hidden=(16,))
    assert_same(density, random_params(density), window(batch, 5, 3))


@pytest.mark.parametrize("head", [gmade.gaussian(), gmade.mixture_of_gaussians(2)])
def test_so_it_is_with_contexts_and_few_targets(monkeypatch, head):
    cut_into(monkeypatch, 4)
    density = build(ORDERS["middle_last"], head=head, targets=(4, 2), num_contexts=3)
    context = np.arange(8) % 3
    assert_same(density, random_params(density), window(8, 5, 3), context)


def test_so_it_is_with_dropout(monkeypatch):
    cut_into(monkeypatch, 4)
    density = build(ORDERS["causal"], hidden=(64,), dropout_rate=0.5)
    args = random_params(density), window(8, 5, 3), None
    assert_same(density, *args, KEY)
    loss = jax.jit(density.loss)
    assert loss(*args, KEY) == loss(*args, KEY)
    assert loss(*args, KEY) != loss(*args, jax.random.key(1))
    assert loss(*args, KEY) != loss(*args)


@pytest.mark.parametrize("batch,rows", BATCHES)
def test_how_a_batch_is_cut_changes_no_log_density(monkeypatch, batch, rows):
    density = build(ORDERS["diamond"])
    params, x = random_params(density), window(batch, 4, 3)
    whole = jax.jit(density.log_prob)(params, x)
    cut_into(monkeypatch, rows)
    assert_close(jax.jit(density.log_prob)(params, x), whole)


def test_jit_changes_nothing(monkeypatch):
    cut_into(monkeypatch, 4)
    density = build(ORDERS["idnn"], targets=(2,))
    args = random_params(density), window(8, 5, 3)
    value_and_grad = jax.value_and_grad(density.loss, (0, 1))
    assert_close(jit_as_in_use(value_and_grad)(*args), value_and_grad(*args))


def test_the_gradient_grows_with_what_is_made_of_the_loss():
    density = build(ORDERS["causal"])
    args = random_params(density), window(4, 5, 3)

    def every(*args):
        value, gradients = jax.value_and_grad(density.loss, (0, 1))(*args)
        tripled = jax.grad(lambda *args: 3 * density.loss(*args), (0, 1))(*args)
        squared = jax.grad(lambda *args: density.loss(*args) ** 2, (0, 1))(*args)
        return value, gradients, tripled, squared

    value, gradients, tripled, squared = jax.jit(every)(*args)
    assert_close(tripled, jax.tree.map(lambda leaf: 3 * leaf, gradients))
    assert_close(squared, jax.tree.map(lambda leaf: 2 * value * leaf, gradients))


def test_a_population_has_the_gradients_of_its_members(monkeypatch):
    """On windows they share, and on windows of their own."""
    monkeypatch.setattr(fused, "CPU_ROWS", 4)
    density = build(ORDERS["causal"], hidden=(16,), num_contexts=2)
    members = [random_params(density, seed=seed) for seed in range(3)]
    windows = [window(8, 5, 3, seed=seed) for seed in range(3)]
    context = np.arange(8) % 2
    one = jax.value_and_grad(density.loss, (0, 1))
    population = jax.tree.map(lambda *leaves: jnp.stack(leaves), *members)
    shared = jax.jit(jax.vmap(one, (0, None, None)))(population, windows[0], context)
    own = jax.jit(jax.vmap(one, (0, 0, None)))(population, jnp.stack(windows), context)
    one = jax.jit(one)
    for i, params in enumerate(members):
        member = partial(jax.tree.map, lambda leaf, i=i: leaf[i])
        assert_close(member(shared), one(params, windows[0], context))
        assert_close(member(own), one(params, windows[i], context))


def temporary_bytes(function, *args):
    memory = jit_as_in_use(jax.grad(function)).lower(*args).compile().memory_analysis()
    if memory is None or not memory.temp_size_in_bytes:
        pytest.skip("this backend does not say how much memory it needs")
    return memory.temp_size_in_bytes


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="runs of rows are for the CPU")
def test_the_loss_needs_a_fraction_of_the_memory_of_materialised_parameters():
    order, size, hidden, batch, components = ORDERS["causal"], 16, (64, 64), 2048, 10
    density = build(order, size, hidden, gmade.mixture_of_gaussians(components))
    truth = oracle.dense(order, size, hidden, oracle.mixture_log_pdf)
    params, x = random_params(density), jnp.zeros((batch, 5, size))
    dense = jax.tree.map(jnp.asarray, truth.scatter(params))
    plain = temporary_bytes(lambda params, x: -truth.log_prob(params, x).mean(), dense, x)
    parameters = 4 * batch * 5 * size * 3 * components
    assert plain > parameters  # it does materialise them
    once = temporary_bytes(density.loss, params, x)
    assert once < plain / 2
    # Twice the rows are more windows and hidden units, and no more parameters.
    twice = temporary_bytes(density.loss, params, jnp.zeros((2 * batch, 5, size)))
    assert twice - once < parameters / 4
