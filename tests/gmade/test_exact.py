"""What any density must be, proved for every kind of network with every head."""

from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import gmade
from gmade.ordering import adjacency_from_ranks
from tests.gmade.cases import HEADS, KEY, build, random_params, window

NETWORKS = {
    "static": {},
    "static direct": dict(direct=True),
    "agnostic": {},
    "agnostic direct": dict(direct=True),
    "agnostic told": dict(condition_on_masks=True),
    "agnostic direct told": dict(direct=True, condition_on_masks=True),
}
CONTINUOUS = [name for name in HEADS if name != "bernoulli"]
RANKS = (1, 2, 0)
NARROW = (4, 3)  # layers narrower than the input


class Model(NamedTuple):
    """A density under one ordering and, where it is agnostic, one connectivity.

    `log_prob(params, x)` and `sample(params, key, batch_size)` are compiled, `loss` is not.
    """

    init: Any
    params: Any
    log_prob: Any
    loss: Any
    sample: Any


@cache
def model(network, head, ranks=RANKS, size=2, hidden=NARROW, activation=jnp.tanh):
    if network.startswith("static"):
        order = adjacency_from_ranks(ranks)
        density = build(order, size, hidden, HEADS[head], activation, **NETWORKS[network])
        log_prob, loss = density.log_prob, density.loss

        def sample(params, key, batch_size):
            return density.sample(params, key, jnp.zeros((batch_size, len(ranks), size)))
    else:
        density = gmade.agnostic_made(
            len(ranks), size, hidden, HEADS[head], activation=activation, **NETWORKS[network]
        )
        degrees = gmade.draw_degrees(KEY, len(ranks), hidden, ranks)
        log_prob = lambda params, x: density.log_prob(params, x, degrees)  # noqa: E731
        loss = lambda params, x: density.loss(params, x, degrees)  # noqa: E731
        sample = lambda *args: density.sample(*args, degrees)  # noqa: E731
    params = without_padding(random_params(density, 0.5), HEADS[head])
    return Model(density.init, params, jax.jit(log_prob), loss, jax.jit(sample, static_argnums=2))


def without_padding(params, head):
    """Random parameters in which components that pad still have no weight."""

    def restored(path, leaf):
        if head.shape and path[-1].key == "b" and leaf.ndim > 1:
            return jnp.where(jnp.isinf(head.bias)[..., None], head.bias[..., None], leaf)
        return leaf

    return jax.tree_util.tree_map_with_path(restored, params)


def in_batches(model, x, batch=600):
    """The log-density of many windows by one program, in float64."""
    filled = np.concatenate([x, np.zeros((-len(x) % batch, *x.shape[1:]), x.dtype)])
    parts = filled.reshape(-1, batch, *x.shape[1:])
    values = [np.asarray(model.log_prob(model.params, jnp.asarray(part))) for part in parts]
    return np.concatenate(values).astype(np.float64)[: len(x)]


def every_state(groups, size):
    bits = np.meshgrid(*[[0.0, 1.0]] * (groups * size), indexing="ij")
    return np.stack(bits, -1).reshape(-1, groups, size).astype(np.float32)


@pytest.mark.parametrize("head", CONTINUOUS)
@pytest.mark.parametrize("network", NETWORKS)
def test_every_conditional_integrates_to_one(network, head):
    """Of each bin along a line, whatever the groups that it sees hold."""
    exact = model(network, head)
    axis = np.linspace(-40, 40, 1600, dtype=np.float32)
    for group, bin_ in [(0, 0), (1, 1), (2, 1)]:
        x = np.repeat(np.asarray(window(1, 3, 2, seed=5)), len(axis), axis=0)
        x[:, group, bin_] = axis
        density = np.exp(in_batches(exact, x)[:, group, bin_])
        assert np.trapezoid(density, axis) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    "network,head",
    [(network, "gaussian") for network in NETWORKS if not network.endswith("direct")]
    + [(network, head) for network in ("static direct", "agnostic direct told") for head in HEADS],
)
def test_the_joint_of_two_bins_integrates_to_one(network, head):
    exact = model(network, head, ranks=(1, 0), size=1)
    if head == "bernoulli":
        assert np.exp(in_batches(exact, every_state(2, 1)).sum((1, 2))).sum() == pytest.approx(1)
        return
    axis = np.linspace(-20, 20, 401, dtype=np.float32)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2, 1)
    joint = np.exp(in_batches(exact, grid, 40_000).sum((1, 2))).reshape(401, 401)
    assert np.trapezoid(np.trapezoid(joint, axis), axis) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("network", NETWORKS)
def test_bits_sum_to_one_over_all_their_states_and_so_does_every_conditional(network):
    """p(x_i | x_<i) as the joint gives it, by summing out all bins that come after group i."""
    states = every_state(3, 2)
    each = in_batches(model(network, "bernoulli"), states)
    joint = np.exp(each.sum((1, 2)))
    assert joint.sum() == pytest.approx(1, abs=1e-5)

    def marginal(groups):
        same = (states[:, None, groups] == states[None][:, :, groups]).all(axis=(2, 3))
        return same @ joint

    for group, rank in enumerate(RANKS):
        before = [g for g, r in enumerate(RANKS) if r < rank]
        conditional = marginal([*before, group]) / marginal(before)
        np.testing.assert_allclose(np.exp(each[:, group].sum(1)), conditional, rtol=1e-4)


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("network", NETWORKS)
def test_log_prob_is_the_sum_of_conditionals_evaluated_one_at_a_time(network, head):
    """Each on a window in which nothing but its own bin and the groups it sees is as it was."""
    exact = model(network, head)
    visible = np.kron(adjacency_from_ranks(RANKS), np.ones((2, 2), bool)) | np.eye(6, dtype=bool)
    x, other = np.asarray(window(5, 3, 2, seed=1)), np.asarray(window(5, 3, 2, seed=2))
    if head == "bernoulli":
        x = (x > 0).astype(np.float32)
        other = 1 - x
    alone = [np.where(bins.reshape(1, 3, 2), x, other) for bins in visible]
    each = in_batches(exact, np.concatenate(alone)).reshape(6, 5, 6)
    every = in_batches(exact, x)
    conditionals = np.diagonal(each, axis1=0, axis2=2).reshape(every.shape)
    np.testing.assert_allclose(conditionals, every, rtol=1e-6, atol=1e-6)
    # And each is what it is because of those groups: the others do not stand in for them.
    assert not np.allclose(in_batches(exact, other)[:, 1], every[:, 1])


def extremes():
    """Silence, one level everywhere, bins that never change, and outliers either way."""
    x = np.zeros((8, 3, 2), np.float32)
    x[1], x[2] = 1.0, -80.0
    x[3:] = np.asarray(window(5, 3, 2))
    x[:, 2, 1] = 0.5
    x[3, 0, 0], x[4, 1, 1], x[5, 2, 0], x[6, 0, 1] = 60, -60, 600, -600
    return jnp.asarray(x)


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("network", NETWORKS)
def test_gradients_are_finite_for_silence_for_constant_bins_and_for_outliers(network, head):
    exact = model(network, head, activation=jax.nn.relu)

    def every(params, x):
        mean = lambda *args: exact.log_prob(*args).mean()  # noqa: E731
        return [jax.value_and_grad(each, (0, 1))(params, x) for each in (exact.loss, mean)]

    every, x = jax.jit(every), extremes()
    wild = jax.tree.map(lambda leaf: (100 if head == "bernoulli" else 4) * leaf, exact.params)
    for params in (exact.init(KEY), exact.params, wild):
        windows = (x > 0).astype(jnp.float32) if head == "bernoulli" else x
        for leaf in jax.tree.leaves(every(params, windows)):
            assert np.isfinite(leaf).all()


def fitted(loss, params, num_steps=300):
    """Adam's parameters, its steps in one program; `loss(params, key)`."""
    optimizer = optax.adam(0.02)

    def step(carry, key):
        params, opt_state = carry
        value, gradients = jax.value_and_grad(loss)(params, key)
        updates, opt_state = optimizer.update(gradients, opt_state)
        return (optax.apply_updates(params, updates), opt_state), value

    keys = jax.random.split(KEY, num_steps)
    with jax.numpy_dtype_promotion("standard"):  # optax's own arithmetic needs it
        start = (params, optimizer.init(params))
        (params, _), losses = jax.jit(lambda start: jax.lax.scan(step, start, keys))(start)
    return params, np.asarray(losses)


def shown(head):
    """Two bins, each twice: Gaussian, in two lumps, or bits; the second follows the first."""
    rng = np.random.default_rng(0)
    noise, sign = rng.normal(size=(2, 4000, 2)), rng.choice([-1.0, 1.0], (4000, 2))
    if head == "bernoulli":
        first, second = sign, np.where(rng.random((4000, 2)) < 0.1, -sign, sign)
        return jnp.asarray(np.stack([first, second], 1) > 0, jnp.float32)
    first = noise[0] if head == "gaussian" else sign + 0.3 * noise[0]
    return jnp.asarray(np.stack([first, first + 0.5 * noise[1]], 1), jnp.float32)


@pytest.mark.parametrize(
    "network,head",
    [
        ("static direct", "gaussian"),
        ("static", "mixture"),
        ("agnostic direct told", "padded"),
        ("agnostic told", "bernoulli"),
    ],
)
def test_samples_of_a_fitted_model_are_as_likely_as_what_it_was_fitted_to(network, head):
    made, x = model(network, head, (1, 0), 2, (16,)), shown(head)
    params, losses = fitted(lambda params, _: made.loss(params, x), made.init(KEY))
    draws = made.sample(params, jax.random.key(1), 20_000)
    sampled = -np.asarray(made.log_prob(params, draws)).mean()
    assert losses[-1] < losses[0] - 0.1
    assert sampled == pytest.approx(losses[-1], abs=0.03)
    # What a bin is drawn from depends on the other group as it does in the data.
    pairs = [np.corrcoef(np.asarray(w)[:, 0, 0], np.asarray(w)[:, 1, 0])[0, 1] for w in (x, draws)]
    assert pairs[0] > 0.5 and pairs[1] == pytest.approx(pairs[0], abs=0.08)


def test_a_model_fitted_under_all_orderings_is_as_likely_to_draw_under_each():
    """Trained on a list of masks, one a step; the joint of the data is the same in any order."""
    density = gmade.agnostic_made(2, 2, (32,), HEADS["gaussian"], **NETWORKS["agnostic told"])
    x, list_key = shown("gaussian"), jax.random.key(2)
    listed = lambda i: gmade.listed_degrees(list_key, i, 2, (32,))  # noqa: E731
    loss = lambda params, key: density.loss(params, x, listed(gmade.pick_index(key, 4)))  # noqa: E731
    params, _ = fitted(loss, density.init(KEY), 600)
    log_prob, sample = jax.jit(density.log_prob), jax.jit(density.sample, static_argnums=2)
    orders = set()
    for i in range(4):
        degrees = listed(i)
        orders.add(tuple(degrees.groups.tolist()))
        draws = sample(params, KEY, 20_000, degrees)
        data, drawn = (-np.asarray(log_prob(params, each, degrees)).mean() for each in (x, draws))
        entropy = 0.5 * np.log(2 * np.pi * np.e) + 0.5 * np.log(0.5)
        assert data == pytest.approx(entropy, abs=0.04)
        assert drawn == pytest.approx(data, abs=0.03)
    assert len(orders) == 2


@pytest.mark.parametrize("head", HEADS)
def test_fitting_what_never_changes_stays_finite(head):
    made = model("static direct", head, (1, 0), 2, (16,))
    params, losses = fitted(
        lambda params, _: made.loss(params, jnp.ones((8, 2, 2))), made.init(KEY)
    )
    assert np.isfinite(losses).all() and losses[-1] < losses[0]
    floor = 0.0 if head == "bernoulli" else -3 + 0.5 * np.log(2 * np.pi)  # of the narrowest scale
    assert floor - 1e-4 <= losses[-1] < floor + 0.3
    finite = jax.tree.map(lambda leaf: bool((~jnp.isnan(leaf)).all()), params)
    assert all(jax.tree.leaves(finite))
