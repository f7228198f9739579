"""Products of bfloat16 factors: coarser by a known amount, and float32 wherever they are summed."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gmade
from gmade.fused import outputs
from gmade.ordering import adjacency_from_ranks
from tests.gmade.cases import (
    KEY,
    ORDERS,
    build,
    build_fine,
    group_size,
    random_params,
    window,
)

HALF = dict(dtype=jnp.bfloat16)


def pair(name, make=build, **kwargs):
    order, size = ORDERS[name], group_size(name)
    exact, coarse = make(order, size, **kwargs), make(order, size, **kwargs, **HALF)
    return exact, coarse, random_params(exact), window(32, len(order), size)


@pytest.mark.parametrize("name", ["two_chains", "made"])
def test_log_densities_are_float32_and_close_to_those_of_float32(name):
    exact, coarse, params, x = pair(name)
    expected, loss = jax.jit(lambda *args: (exact.log_prob(*args), exact.loss(*args)))(params, x)
    actual, coarse_loss = jax.jit(lambda *args: (coarse.log_prob(*args), coarse.loss(*args)))(
        params, x
    )
    assert actual.dtype == coarse_loss.dtype == jnp.float32
    error = np.abs(actual - expected)
    assert error.max() > 0 and error.mean() < 0.02
    assert float(coarse_loss) == pytest.approx(float(loss), abs=0.01)


def test_gradients_are_float32_and_point_the_same_way():
    exact, coarse, params, x = pair("causal")
    expected = jax.jit(jax.grad(exact.loss, (0, 1)))(params, x)
    actual = jax.jit(jax.grad(coarse.loss, (0, 1)))(params, x)
    assert jax.tree.structure(actual) == jax.tree.structure(expected)
    for one, other in zip(jax.tree.leaves(actual), jax.tree.leaves(expected), strict=True):
        assert one.dtype == jnp.float32 and np.isfinite(one).all()
        cosine = np.vdot(one, other) / np.linalg.norm(one) / np.linalg.norm(other)
        assert cosine > 0.999


@pytest.mark.parametrize("name", ["causal", "two_chains"])
def test_paths_that_are_forbidden_stay_exactly_shut(name):
    _, density, params, x = pair(name, build_fine, hidden=(16,))
    jacobian = jax.jit(jax.jacrev(lambda x: density.log_prob(params, x)[0]))(x[:1])
    depends = np.abs(np.asarray(jacobian)[:, :, 0]).max(axis=(1, 3))
    itself = np.eye(len(depends), dtype=bool)
    assert (depends[~ORDERS[name] & ~itself] == 0).all()
    assert (depends[ORDERS[name]] > 0).all()


def test_parameters_are_products_of_rounded_factors_and_sums_that_are_not():
    h, w, b = jnp.ones((1, 513)), jnp.ones((513, 2, 1)), jnp.full((2, 1), 0.125)
    many = outputs(h, w, b, jnp.bfloat16)
    assert many.dtype == jnp.float32 and many.ravel().tolist() == [513.125, 513.125]
    for factor, rounded in [(257, 256), (259, 260)]:
        for h, w in [(factor, 1), (1, factor)]:
            h, w = jnp.full((1, 1), h, jnp.float32), jnp.full((1, 2, 1), w, jnp.float32)
            assert outputs(h, w, b, jnp.bfloat16).ravel().tolist() == [rounded + 0.125] * 2


@pytest.mark.parametrize("weight,x", [(1, 257), (257, 1)])
def test_hidden_units_are_products_of_rounded_factors(weight, x):
    """One unit, the difference of 257, rounded, and 257, not rounded, is the mean of frame 1."""
    identity = lambda h: h  # noqa: E731
    order = adjacency_from_ranks((0, 1))
    density = build(order, 1, (1,), gmade.gaussian(), identity, **HALF)
    params = jax.tree.map(jnp.zeros_like, jax.eval_shape(density.init, KEY))
    [[layer]], [block] = params["trunk"]["layers"], params["head"]
    layer["w"], layer["b"] = jnp.full((1, 1), weight, jnp.float32), jnp.full(1, -257.0)
    block["w"] = block["w"].at[0, 0, 1].set(1.0)
    log_prob = density.log_prob(params, jnp.asarray([[[x], [-1]]], jnp.float32))
    assert float(log_prob[0, 1, 0]) == pytest.approx(-0.5 * np.log(2 * np.pi))


def test_samples_are_float32():
    _, density, params, x = pair("causal")
    drawn = jax.jit(density.sample)(params, jax.random.key(1), x)
    assert drawn.dtype == jnp.float32 and np.isfinite(drawn).all()
