"""Networks whose masks are an argument: what they compute, and under which masks."""

from functools import cache
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gmade
from gmade.degrees import Degrees, draw_degrees, listed_degrees, pick_index
from gmade.masks import spread_degrees
from gmade.ordering import adjacency_from_ranks
from tests.gmade import oracle
from tests.gmade.cases import (
    HEADS,
    KEY,
    assert_close,
    build,
    random_params,
    window,
)

RANKS = (2, 0, 3, 1)
NETWORKS = {
    "plain": {},
    "direct": dict(direct=True),
    "told": dict(condition_on_masks=True),
    "direct told": dict(direct=True, condition_on_masks=True),
}


def agnostic(groups=4, size=2, hidden=(9, 7), head="gaussian", **kwargs):
    return gmade.agnostic_made(groups, size, hidden, HEADS[head], activation=jnp.tanh, **kwargs)


def listed(num, groups=4, hidden=(9, 7)):
    return jax.vmap(lambda i: listed_degrees(KEY, i, groups, hidden))(jnp.arange(num))


def nth(degrees, i):
    return jax.tree.map(lambda leaf: leaf[i], degrees)


@pytest.mark.parametrize("direct", [False, True])
@pytest.mark.parametrize("head,size", [("gaussian", 1), ("mixture", 3), ("bernoulli", 3)])
def test_with_one_ordering_and_connectivity_it_is_the_static_network(head, size, direct):
    order, hidden = adjacency_from_ranks(RANKS), (10, 7)
    static = build(order, size, hidden, HEADS[head], direct=direct)
    params = random_params(static)
    dense = oracle.dense(order, size, hidden, None, direct=direct).scatter(params)
    units = tuple(jnp.asarray(spread_degrees(width, 3)) for width in hidden)
    same = agnostic(4, size, hidden, head, direct=direct)
    assert jax.tree.structure(same.init(KEY)) == jax.tree.structure(dense)
    x = window(6, 4, size)
    x = (x > 0).astype(jnp.float32) if head == "bernoulli" else x
    actual = jax.jit(same.log_prob)(
        jax.tree.map(jnp.asarray, dense), x, Degrees(jnp.array(RANKS), units)
    )
    expected = jax.jit(static.log_prob)(params, x)
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5)


def test_it_is_the_formula_written_out():
    """Unit by unit and weight by weight, with weights that tell a unit what it may read."""
    size, hidden = 2, (5, 4)
    density = agnostic(3, size, hidden, direct=True, condition_on_masks=True)
    params, x = random_params(density), window(3, 3, size)
    degrees = Degrees(jnp.array([1, 2, 0]), (jnp.array([0, 1, 1, 0, 1]), jnp.array([1, 0, 0, 1])))
    numpy = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), params)
    bins, ranks = np.asarray(x, np.float64).reshape(3, -1), [1, 1, 2, 2, 0, 0]
    h, below = bins, ranks
    for layer, units in zip(numpy["trunk"], degrees.units, strict=True):
        units = units.tolist()
        new = np.zeros((3, len(units)))
        for k, degree in enumerate(units):
            new[:, k] = layer["b"][k]
            for j, low in enumerate(below):
                if low <= degree:
                    new[:, k] += layer["w"][j, k] * h[:, j] + layer["u"][j, k]
        h, below = np.tanh(new), units
    last, out = numpy["head"], np.zeros((3, 2, 6))
    for i, rank in enumerate(ranks):
        out[:, :, i] = last["b"][:, i]
        for k, degree in enumerate(below):
            if degree < rank:
                out[:, :, i] += h[:, k, None] * last["w"][k, :, i] + last["u"][k, :, i]
        for j, low in enumerate(ranks):
            if low < rank:
                out[:, :, i] += bins[:, j, None] * last["direct"][j, :, i]
    expected = oracle.in_float64(oracle.gaussian_log_pdf, out, bins).reshape(x.shape)
    actual = jax.jit(density.log_prob)(params, x, degrees)
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5)


def paths(degrees):
    """Which group has a way to which, (to, from), by walking the definition's comparisons."""
    ranks = degrees.groups.tolist()
    layers = [layer.tolist() for layer in degrees.units]
    reached = [{group for group, rank in enumerate(ranks) if rank <= d} for d in layers[0]]
    for low, high in pairwise(layers):
        reached = [
            set().union(*(r for r, c in zip(reached, low, strict=True) if c <= d)) for d in high
        ]
    units = list(zip(reached, layers[-1], strict=True))
    seen = [set().union(*(r for r, d in units if d < rank)) for rank in ranks]
    return np.array([[group in view for group in range(len(ranks))] for view in seen])


@cache
def dependence_under(network, hidden):
    """Largest |d log p(group i) / d x(group j)| under each of a list of masks, from one program."""
    density = agnostic(hidden=hidden, **NETWORKS[network])
    params, x = random_params(density), window(1, 4, 2)
    log_prob = lambda x, degrees: density.log_prob(params, x, degrees)[0]  # noqa: E731
    degrees = listed(24, 4, hidden)
    jacobian = jax.jit(jax.vmap(jax.jacrev(log_prob), (None, 0)))(x, degrees)
    return degrees, np.abs(np.asarray(jacobian)[:, :, :, 0]).max(axis=(2, 4))


@pytest.mark.parametrize("hidden", [(24,), (2, 3), (5, 1, 4)], ids=str)
@pytest.mark.parametrize("network", NETWORKS)
def test_the_jacobian_is_what_the_ordering_and_the_connectivity_allow(network, hidden):
    degrees, depends = dependence_under(network, hidden)
    others = ~np.eye(4, dtype=bool)
    for i, dependence in enumerate(depends):
        order = adjacency_from_ranks(degrees.groups[i].tolist())
        expected = order if "direct" in network else paths(nth(degrees, i))
        assert np.array_equal(dependence[others] > 0, expected[others])
        assert not expected[~order].any()
    assert len(np.unique(np.asarray(degrees.groups), axis=0)) > 10


def test_steps_with_other_masks_are_the_same_program():
    density, traces = agnostic(condition_on_masks=True), []

    @jax.jit
    def step(params, x, key):
        traces.append(None)
        degrees = listed_degrees(KEY, pick_index(key, 3), 4, (9, 7))
        return density.loss(params, x, degrees)

    params, x = random_params(density), window(8, 4, 2)
    losses = {float(step(params, x, key)) for key in jax.random.split(KEY, 30)}
    assert len(traces) == 1 and len(losses) == 3


@pytest.mark.parametrize("head", ["mixture", "bernoulli"])
def test_the_loss_is_minus_the_mean_log_density_with_its_gradients(head):
    density = agnostic(head=head, dropout_rate=0.3, **NETWORKS["direct told"])
    degrees, x = draw_degrees(KEY, 4, (9, 7)), window(8, 4, 2)

    def both(params, x):
        nll = lambda *args: -density.log_prob(*args, degrees, KEY).mean()  # noqa: E731
        loss = lambda *args: density.loss(*args, degrees, KEY)  # noqa: E731
        return tuple(jax.value_and_grad(each, (0, 1))(params, x) for each in (loss, nll))

    loss, nll = jax.jit(both)(random_params(density), x)
    assert_close(loss, nll)
    assert all(np.abs(leaf).max() > 0 for leaf in jax.tree.leaves(loss))


def test_no_gradient_reaches_what_is_masked():
    density = agnostic(hidden=(6,), **NETWORKS["direct told"])
    degrees = draw_degrees(KEY, 4, (6,))
    gradient = jax.jit(jax.grad(density.loss))(random_params(density), window(8, 4, 2), degrees)
    ranks, units = np.repeat(np.asarray(degrees.groups), 2), np.asarray(degrees.units[0])
    [layer], last = gradient["trunk"], gradient["head"]
    for leaf, mask in [
        (layer["w"], ranks[:, None] <= units),
        (layer["u"], ranks[:, None] <= units),
        (last["w"][:, 0], units[:, None] < ranks),
        (last["u"][:, 0], units[:, None] < ranks),
        (last["direct"][:, 0], ranks[:, None] < ranks),
    ]:
        assert np.array_equal(np.asarray(leaf) != 0, mask)


def test_dropout_needs_a_key_and_opens_no_path():
    density = agnostic(hidden=(200,), dropout_rate=0.5)
    params, degrees = random_params(density), draw_degrees(KEY, 4, (200,), RANKS)
    x = window(4, 4, 2)
    log_prob = jax.jit(density.log_prob)
    alone, dropped = log_prob(params, x, degrees), log_prob(params, x, degrees, KEY)
    first = RANKS.index(0)  # it reads no hidden unit
    assert np.array_equal(alone[:, first], dropped[:, first])
    assert not np.allclose(alone, dropped)
    last = RANKS.index(3)
    other = log_prob(params, x.at[:, last].set(0.0), degrees, KEY)
    assert np.array_equal(np.delete(other, last, axis=1), np.delete(dropped, last, axis=1))


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("head", ["mixture", "bernoulli"])
def test_outputs_start_near_the_bias_and_additions_as_if_they_were_not_there(network, head):
    density, plain = (agnostic(head=head, **kwargs) for kwargs in (NETWORKS[network], {}))
    x, degrees = (window(256, 4, 2) > 0).astype(jnp.float32), draw_degrees(KEY, 4, (9, 7))
    log_prob = jax.jit(density.log_prob)(density.init(KEY), x, degrees)
    bias = HEADS[head].bias[None, ..., None]
    at_bias = HEADS[head].log_prob(jnp.asarray(bias), x.reshape(-1, 1)).reshape(x.shape)
    assert 0 < np.abs(log_prob - at_bias).mean() < 0.1
    np.testing.assert_allclose(log_prob, plain.log_prob(plain.init(KEY), x, degrees), atol=1e-6)


def test_units_start_with_the_power_of_a_static_networks_averaged_over_masks():
    """Two: half of it is left by ReLU, and so on through the layers."""
    hidden = (64, 64)
    density = gmade.agnostic_made(16, 8, hidden, gmade.gaussian())
    layers = density.init(KEY)["trunk"]
    degrees = listed(200, 16, hidden)
    ranks = np.repeat(degrees.groups, 8, axis=1)
    for layer, low, high in zip(layers, [ranks, degrees.units[0]], degrees.units, strict=True):
        reads = np.asarray(low)[:, :, None] <= np.asarray(high)[:, None]
        power = (reads * np.asarray(layer["w"]) ** 2).sum(axis=1)
        assert power.mean() == pytest.approx(2, rel=0.15)


def mixed(density, params, x, degrees):
    """The same average, of all log-densities at once."""
    num = len(degrees.groups)
    joint = [
        np.asarray(density.log_prob(params, x, nth(degrees, i)), np.float64) for i in range(num)
    ]
    return np.log(np.mean([np.exp(each.sum((1, 2))) for each in joint], axis=0))


@pytest.mark.parametrize("num", [1, 5])
def test_the_mean_over_masks_is_of_densities(num):
    density = agnostic()
    params, x, degrees = random_params(density), window(6, 4, 2), listed(num)
    actual = jax.jit(lambda *args: gmade.mean_log_prob(density, *args))(params, x, degrees)
    assert actual.shape == (6,)
    np.testing.assert_allclose(actual, mixed(density, params, x, degrees), rtol=1e-5)


def test_the_mean_over_masks_sums_to_one_and_stands_far_outliers():
    states = np.stack(np.meshgrid(*[[0.0, 1.0]] * 4), -1).reshape(-1, 4, 1).astype(np.float32)
    density = agnostic(4, 1, head="bernoulli", **NETWORKS["direct told"])
    mean = jax.jit(lambda *args: gmade.mean_log_prob(density, *args))
    log_p = mean(random_params(density), jnp.asarray(states), listed(7))
    assert np.exp(np.asarray(log_p, np.float64)).sum() == pytest.approx(1, abs=1e-5)
    density = agnostic()
    params, x = random_params(density), 1000 * window(3, 4, 2)
    degrees = listed(3)
    joint = lambda x: gmade.mean_log_prob(density, params, x, degrees).sum()  # noqa: E731
    value, gradient = jax.jit(jax.value_and_grad(joint))(x)
    assert np.isfinite(value) and np.isfinite(gradient).all() and float(value) < -1000


def test_the_memory_of_the_mean_does_not_grow_with_the_number_of_masks():
    density = agnostic()
    params, x = random_params(density), window(512, 4, 2)

    def temporary_bytes(num):
        mean = jax.jit(lambda *args: gmade.mean_log_prob(density, *args))
        memory = mean.lower(params, x, listed(num)).compile().memory_analysis()
        if memory is None or not memory.temp_size_in_bytes:
            pytest.skip("this backend does not say how much memory it needs")
        return memory.temp_size_in_bytes

    assert temporary_bytes(64) < 1.1 * temporary_bytes(2)
