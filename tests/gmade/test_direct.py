"""Direct connections: what they add to a network, and that nothing changes without them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gmade
from gmade.ordering import adjacency_from_ranks
from tests.gmade import oracle
from tests.gmade.cases import KEY, ORDERS, build, build_fine, random_params, window

NARROW = [(1,), (3, 1, 2)]


def dependence(density, params, groups, size):
    """Largest |d log p(group i) / d x(group j)| over their bins."""
    log_prob = lambda x: density.log_prob(params, x)[0]  # noqa: E731
    jacobian = jax.jit(jax.jacrev(log_prob))(window(1, groups, size))
    return np.abs(np.asarray(jacobian)[:, :, 0]).max(axis=(1, 3))


def without_direct(params):
    head = [
        {name: leaf for name, leaf in each.items() if name != "direct"} for each in params["head"]
    ]
    return {**params, "head": head}


@pytest.mark.parametrize("hidden", NARROW, ids=str)
@pytest.mark.parametrize("name", ["causal", "middle_last", "two_chains"])
@pytest.mark.parametrize("size", [1, 3])
def test_narrow_layers_open_the_paths_of_their_masks_and_direct_ones_all(name, size, hidden):
    order = ORDERS[name]
    truth = oracle.dense(order, size, hidden, None)
    paths = np.linalg.multi_dot([m.astype(int) for m in (*truth.trunk, truth.head)]) > 0
    paths = paths.T[::size, ::size]
    others = ~np.eye(len(order), dtype=bool)
    for direct in (False, True):
        density = build(order, size, hidden, direct=direct)
        depends = dependence(density, random_params(density), len(order), size)
        expected = order if direct else paths
        assert np.array_equal(depends[others] > 0, expected[others])
    assert not paths[~order].any() and paths[order].any() and not paths[order].all()


@pytest.mark.parametrize("make", [build, build_fine])
def test_without_them_weights_and_their_draw_are_as_they_were(make):
    plain, direct = (make(ORDERS["middle_last"], direct=direct) for direct in (False, True))
    params, more = plain.init(KEY), direct.init(KEY)
    assert all("direct" not in each for each in params["head"])
    assert jax.tree.structure(without_direct(more)) == jax.tree.structure(params)
    jax.tree.map(np.testing.assert_array_equal, without_direct(more), params)
    x = window(4, 5, 3)
    expected = jax.jit(plain.log_prob)(params, x)
    np.testing.assert_allclose(jax.jit(direct.log_prob)(more, x), expected, rtol=1e-6)


def test_they_have_weights_where_a_block_sees_something_and_gradients_from_the_start():
    density = build_fine(ORDERS["middle_last"], direct=True, head=gmade.gaussian())
    params = density.init(KEY)
    rows = [len(each["direct"]) if "direct" in each else 0 for each in params["head"]]
    assert rows == [0, 3, 12, 6, 9]
    gradients = jax.jit(jax.grad(density.loss))(params, window(8, 5, 3))
    for each in gradients["head"]:
        assert (np.asarray(each.get("direct", 1)) != 0).all()


def test_they_are_linear():
    """With hidden units silent, the mean of frame 1 is a multiple of frame 0."""
    density = build(adjacency_from_ranks((0, 1)), 1, (2,), gmade.gaussian(), direct=True)
    params = jax.tree.map(jnp.zeros_like, jax.eval_shape(density.init, KEY))
    params["head"][0]["direct"] = params["head"][0]["direct"].at[0, 0, :].set(2.5)
    x = jnp.asarray([[[4.0], [10.0]], [[-4.0], [-10.0]]])
    expected = jnp.asarray([[-8.0, 0.0]] * 2) - 0.5 * np.log(2 * np.pi)
    np.testing.assert_allclose(density.log_prob(params, x)[:, :, 0], expected, rtol=1e-6)
