"""Mixtures of several sizes in one shape: components without weight, which nothing wakes up."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from gmade.heads import mixture_of_gaussians
from tests.gmade.cases import KEY, ORDERS, build, random_params, window

SMALL, LARGE = 3, 5


def padded(leaf, axis, fill):
    """Five components where there were three."""
    shape = list(leaf.shape)
    shape[axis] = LARGE - SMALL
    return jnp.concatenate([leaf, jnp.broadcast_to(fill, shape)], axis=axis)


@pytest.fixture(scope="module")
def twins():
    """A density of three components, one of five that two of which pad, and parameters of both."""
    small = build(ORDERS["causal"], head=mixture_of_gaussians(SMALL))
    large = build(ORDERS["causal"], head=mixture_of_gaussians(SMALL, LARGE))
    params = random_params(small)
    fill = mixture_of_gaussians(SMALL, LARGE).bias[:, SMALL:, None]
    rng = np.random.default_rng(1)
    head = []
    for block in params["head"]:
        w = padded(block["w"], 2, jnp.asarray(rng.normal(), jnp.float32))
        head.append({"w": w, "b": padded(block["b"], 1, fill)})
    return small, large, params, {**params, "head": head}


def padding(head):
    """What belongs to components without weight."""
    return [leaf for block in head for leaf in (block["w"][:, :, SMALL:], block["b"][:, SMALL:])]


def test_padding_starts_without_weight_and_the_rest_as_if_it_were_not_there():
    bias, alone = mixture_of_gaussians(SMALL, LARGE).bias, mixture_of_gaussians(SMALL).bias
    assert np.array_equal(bias[:, :SMALL], alone)
    assert (bias[0, SMALL:] == -np.inf).all() and np.isfinite(bias[1:]).all()


@pytest.mark.parametrize("max_components", [0, 1, 3])
def test_no_padding_where_it_is_not_asked_for(max_components):
    head = mixture_of_gaussians(3, max_components)
    assert head.shape == (3, 3) and np.isfinite(head.bias).all()


def test_padding_changes_no_log_density(twins):
    small, large, params, larger = twins
    x = window(8, 5, 3).at[0].mul(60)
    expected = jax.jit(small.log_prob)(params, x)
    actual = jax.jit(large.log_prob)(larger, x)
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("function", ["loss", "log_prob"])
def test_no_gradient_moves_padding_and_all_others_are_unchanged(twins, function):
    small, large, params, larger = twins
    x = window(8, 5, 3).at[0].mul(60)

    def gradients(density, params):
        value = getattr(density, function)
        return jax.jit(jax.grad(lambda *args: value(*args).mean(), (0, 1)))(params, x)

    (by_param, by_x), (expected, expected_by_x) = gradients(large, larger), gradients(small, params)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves((by_param, by_x)))
    assert all((np.asarray(leaf) == 0).all() for leaf in padding(by_param["head"]))
    np.testing.assert_allclose(by_x, expected_by_x, rtol=1e-4, atol=1e-6)
    for block, other in zip(by_param["head"], expected["head"], strict=True):
        np.testing.assert_allclose(block["w"][:, :, :SMALL], other["w"], rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(block["b"][:, :SMALL], other["b"], rtol=1e-4, atol=1e-6)


def test_training_never_wakes_padding_up(twins):
    _, density, _, params = twins
    x = window(64, 5, 3)
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(0.01))
    before, opt_state = params, optimizer.init(params)

    @jax.jit
    def step(params, opt_state):
        loss, gradients = jax.value_and_grad(density.loss)(params, x)
        updates, opt_state = optimizer.update(gradients, opt_state)
        return loss, optax.apply_updates(params, updates), opt_state

    losses = []
    with jax.numpy_dtype_promotion("standard"):  # optax's own arithmetic needs it
        for _ in range(10):
            loss, params, opt_state = step(params, opt_state)
            losses.append(float(loss))
    assert losses[-1] < losses[0]
    for now, then in zip(padding(params["head"]), padding(before["head"]), strict=True):
        assert np.array_equal(now, then)
    assert all((np.asarray(block["b"][0, SMALL:]) == -np.inf).all() for block in params["head"])
    others = jax.tree.leaves(jax.tree.map(jnp.isfinite, (params, opt_state)))
    infinite = sum(int((~np.asarray(leaf)).sum()) for leaf in others)
    assert infinite == sum(block["b"][0, SMALL:].size for block in params["head"])


def test_samples_never_come_from_padding():
    head = mixture_of_gaussians(SMALL, LARGE)
    params = np.zeros((1, *head.shape, 1), np.float32) + head.bias[None, :, :, None]
    params[0, 1, :, 0] = [-2, 0, 2, 1000, -1000]
    draws = head.sample(KEY, jnp.broadcast_to(jnp.asarray(params), (20_000, *head.shape, 1)))
    assert np.abs(draws).max() < 100
    assert np.abs(np.asarray(draws).std() - np.sqrt(1 + 8 / 3)) < 0.05
