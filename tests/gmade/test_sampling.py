from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gmade
from tests.gmade.cases import KEY, ORDERS, build, build_fine, group_size, random_params, window


def draw(density, params, x, groups, key=KEY):
    sample = jax.jit(partial(density.sample, groups=groups))
    return np.asarray(sample(params, key, x))


@pytest.mark.parametrize("head", [gmade.gaussian(), gmade.mixture_of_gaussians(3)])
def test_the_last_group_given_the_rest_has_its_conditional_distribution(head):
    """Against the distribution function, integrated from `log_prob` over a grid."""
    density = build(ORDERS["causal"], 2, head=head)
    params, one = random_params(density, 0.5), window(1, 5, 2)
    draws = draw(density, params, jnp.tile(one, (20_000, 1, 1)), (4,))[:, 4]
    axis = np.linspace(-25, 25, 4001, dtype=np.float32)
    grid = jnp.tile(one, (len(axis), 1, 1)).at[:, 4].set(axis[:, None])
    p = np.exp(np.asarray(jax.jit(density.log_prob)(params, grid))[:, 4], dtype=np.float64)
    for drawn, density_of_bin in zip(draws.T, p.T, strict=True):
        distribution = np.cumsum(density_of_bin) * (axis[1] - axis[0])
        at = np.interp(np.sort(drawn), axis, distribution)
        assert np.abs(at - np.linspace(0, 1, len(at))).max() < 0.015  # 1.36 / sqrt(n) is 0.01


@pytest.mark.parametrize("make", [build, build_fine])
@pytest.mark.parametrize("name", ["causal", "permuted", "diamond", "made"])
def test_groups_that_are_not_drawn_stay_bit_for_bit(make, name):
    density = make(ORDERS[name], group_size(name))
    params, x = random_params(density), window(3, len(ORDERS[name]), group_size(name))
    for groups in ((len(ORDERS[name]) - 1,), (1, 3), (0,)):
        drawn = draw(density, params, x, groups)
        changed = (drawn != np.asarray(x)).all(axis=(0, 2))
        assert np.flatnonzero(changed).tolist() == list(groups)
        kept = ~changed
        assert np.array_equal(drawn[:, kept], np.asarray(x)[:, kept])


def test_naming_all_groups_is_naming_none():
    density = build(ORDERS["causal"])
    params, x = random_params(density), window(3, 5, 3)
    assert np.array_equal(draw(density, params, x, ()), draw(density, params, x, (0, 1, 2, 3, 4)))


def test_ancestors_come_first_whatever_order_they_are_named_in():
    """With weights that copy a group to the next, a chain that is drawn together hangs together."""
    order = gmade.adjacency_from_ranks((0, 1))
    density = build(order, 1, (1,), head=gmade.gaussian(), activation=lambda h: h)
    params = jax.tree.map(jnp.zeros_like, jax.eval_shape(density.init, KEY))
    [[layer]], [block] = params["trunk"]["layers"], params["head"]
    layer["w"] = jnp.ones((1, 1))
    block["w"] = block["w"].at[0, 0, 1].set(1.0)
    block["b"] = block["b"].at[1].set(jnp.asarray([2.0, -3.0]))
    drawn = draw(density, params, jnp.zeros((500, 2, 1)), (1, 0))[:, :, 0]
    assert drawn[:, 0].std() > 4
    assert np.abs(drawn[:, 1] - drawn[:, 0]).max() < 0.3


def test_a_group_that_is_not_modelled_cannot_be_drawn():
    density = build(ORDERS["idnn"], targets=(2,))
    with pytest.raises(ValueError, match="targets"):
        density.sample(random_params(density), KEY, window(1, 5, 3), None, (1,))
