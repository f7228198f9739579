from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import gmade
from gmade.network import dropout
from gmade.ordering import adjacency_from_ranks
from tests.gmade.cases import (
    KEY,
    ORDERS,
    build,
    build_fine,
    group_size,
    jit_as_in_use,
    random_params,
    window,
)

HIDDEN = {
    (32,): build,
    (16, 8, 16): partial(build_fine, head=gmade.gaussian()),
    (2, 1): partial(build, direct=True),
}


def bin_jacobian(density, params, order, size, context=None, key=None):
    """d log p(group i, bin a) / d x(group j, bin b), as (i, a, j, b)."""
    log_prob = lambda x: density.log_prob(params, x, context, key)[0]  # noqa: E731
    jacobian = jax.jit(jax.jacrev(log_prob))(window(1, len(order), size))
    return np.asarray(jacobian)[:, :, 0]


@cache
def jacobian_of(name, hidden):
    order, size = ORDERS[name], group_size(name)
    density = HIDDEN[hidden](order, size, hidden)
    return bin_jacobian(density, random_params(density), order, size)


def group_dependence(jacobian):
    """Largest |d log p(group i) / d x(group j)| over their bins; own groups left out."""
    largest = np.abs(jacobian).max(axis=(1, 3))
    return np.where(np.eye(len(largest), dtype=bool), np.nan, largest)


def assert_zero_where_forbidden(depends, order):
    assert (depends[~order & ~np.eye(len(order), dtype=bool)] == 0).all()


@pytest.mark.parametrize("hidden", HIDDEN, ids=str)
@pytest.mark.parametrize("name", ORDERS)
def test_the_jacobian_is_exactly_the_adjacency(name, hidden):
    depends = group_dependence(jacobian_of(name, hidden))
    assert_zero_where_forbidden(depends, ORDERS[name])
    assert (depends[ORDERS[name]] > 0).all()


@pytest.mark.parametrize("hidden", HIDDEN, ids=str)
@pytest.mark.parametrize("name", ORDERS)
def test_bins_of_a_group_are_independent_given_the_groups_it_sees(name, hidden):
    jacobian, size = jacobian_of(name, hidden), group_size(name)
    for group in range(len(ORDERS[name])):
        within = jacobian[group, :, group]
        assert (within[~np.eye(size, dtype=bool)] == 0).all()
        assert (np.diag(within) != 0).all()


@pytest.mark.parametrize("head", [gmade.gaussian(), gmade.mixture_of_gaussians(3)])
@pytest.mark.parametrize("ranks", [(0, 1), (1, 0), (0, 0)])
def test_a_joint_of_two_bins_integrates_to_one(head, ranks):
    density = build(adjacency_from_ranks(ranks), 1, (8, 8), head=head)
    params = random_params(density, 0.5)
    axis = np.linspace(-25, 25, 1001, dtype=np.float32)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2, 1)
    log_prob = jax.jit(density.log_prob)
    values = np.concatenate(
        [
            np.asarray(log_prob(params, jnp.asarray(part))).sum((1, 2))
            for part in np.array_split(grid, 8)
        ]
    )
    joint = np.exp(values.astype(np.float64)).reshape(1001, 1001)
    assert np.trapezoid(np.trapezoid(joint, axis), axis) == pytest.approx(1, abs=1e-3)


def test_modelling_fewer_groups_leaves_the_others_free():
    order = ORDERS["middle_last"]
    density = build(order, targets=(2,))
    params = random_params(density)
    assert density.log_prob(params, window(4, 5, 3)).shape == (4, 1, 3)
    assert [block["w"].shape for block in params["head"]] == [(32, 3, 2, 3)]


def test_groups_of_one_are_made():
    """Against MADE written out densely: weights masked by a comparison of degrees."""
    size, hidden = 6, 12
    density = build(np.tri(size, k=-1, dtype=bool), 1, (hidden,), head=gmade.gaussian())
    params = random_params(density)
    degrees = np.ceil(np.arange(1, hidden + 1) * (size - 1) / hidden)
    [[layer]], [block] = params["trunk"]["layers"], params["head"]
    seen = degrees[None] >= np.arange(1, size)[:, None]
    first = np.where(seen, np.asarray(layer["w"]), 0)
    w = np.zeros((hidden, 2, size), np.float32)
    w[: len(block["w"])] = block["w"]
    bias = np.asarray(block["b"])
    last = np.where(np.arange(1, size + 1)[None, None] > degrees[:, None, None], w, 0)
    x = np.random.default_rng(0).normal(size=(7, size)).astype(np.float32)
    h = np.tanh(x[:, :-1] @ first + np.asarray(layer["b"]))
    mean, log_scale = np.moveaxis(np.einsum("bh,hpd->bpd", h, last) + bias, 1, 0)
    log_scale = np.maximum(log_scale, -3)
    expected = -0.5 * ((x - mean) / np.exp(log_scale)) ** 2 - log_scale - 0.5 * np.log(2 * np.pi)
    actual = density.log_prob(params, jnp.asarray(x[:, :, None]))[:, :, 0]
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5)


def test_log_prob_is_the_sum_of_conditionals_taken_one_at_a_time():
    """Each conditional from a network that models that group alone, with the same weights."""
    order = ORDERS["causal"]
    joint = build(order)
    params = random_params(joint)
    x = window(3, 5, 3)
    log_prob = jax.jit(joint.log_prob)
    every = log_prob(params, x)
    for group in range(5):
        later = np.arange(5)[None, :, None] >= group
        other = jnp.where(later, window(3, 5, 3, seed=9), x)
        other = other.at[:, group].set(x[:, group])
        alone = log_prob(params, other)[:, group]
        np.testing.assert_allclose(alone, every[:, group], rtol=1e-5, atol=1e-6)


def test_ancestral_samples_have_the_models_own_likelihood():
    """The mean of log p over samples is minus the entropy, here integrated on a grid."""
    density = build(adjacency_from_ranks((1, 0)), 1, (8,), head=gmade.mixture_of_gaussians(2))
    params = random_params(density, 0.5)
    draws = jax.jit(density.sample)(params, jax.random.key(3), jnp.zeros((40_000, 2, 1)))
    sampled = np.asarray(jax.jit(density.log_prob)(params, draws)).sum((1, 2))
    axis = np.linspace(-15, 15, 801, dtype=np.float32)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2, 1)
    log_p = np.asarray(jax.jit(density.log_prob)(params, grid)).sum((1, 2)).astype(np.float64)
    cell = (axis[1] - axis[0]) ** 2
    negative_entropy = (np.exp(log_p) * log_p).sum() * cell
    error = sampled.std() / np.sqrt(len(sampled))
    assert sampled.mean() == pytest.approx(negative_entropy, abs=5 * error)


def test_sampling_draws_the_targets_and_keeps_the_rest():
    density = build(ORDERS["idnn"], targets=(2,))
    x = window(4, 5, 3)
    drawn = jax.jit(density.sample)(random_params(density), KEY, x)
    kept = np.array([0, 1, 3, 4])
    assert np.array_equal(drawn[:, kept], x[:, kept])
    assert (np.asarray(drawn[:, 2]) != np.asarray(x[:, 2])).all()


def test_samples_follow_their_conditioning():
    """With weights that copy frame 0 to frame 1, samples of frame 1 stay close to frame 0."""
    order = adjacency_from_ranks((0, 1))
    identity = lambda h: h  # noqa: E731
    density = build(order, 1, (1,), head=gmade.gaussian(), activation=identity)
    params = jax.tree.map(jnp.zeros_like, jax.eval_shape(density.init, KEY))
    [[layer]], [block] = params["trunk"]["layers"], params["head"]
    layer["w"] = jnp.ones((1, 1))
    block["w"] = block["w"].at[0, 0, 1].set(1.0)
    block["b"] = block["b"].at[1].set(jnp.asarray([2.0, -3.0]))
    drawn = np.asarray(jax.jit(density.sample)(params, KEY, jnp.zeros((500, 2, 1))))[:, :, 0]
    assert drawn[:, 0].std() > 4
    assert np.abs(drawn[:, 1] - drawn[:, 0]).max() < 0.3


def test_context_reaches_every_group_even_one_that_sees_none():
    density = build(ORDERS["causal"], num_contexts=3)
    params = random_params(density)
    x = window(1, 5, 3)
    log_prob = jax.jit(density.log_prob)
    by_id = [log_prob(params, x, np.array([i])) for i in range(3)]
    for group in range(5):
        assert not np.allclose(by_id[0][:, group], by_id[1][:, group])
        assert not np.allclose(by_id[1][:, group], by_id[2][:, group])


def test_context_opens_no_path_between_groups():
    order = ORDERS["middle_last"]
    density = build(order, num_contexts=2)
    params = random_params(density)
    jacobian = bin_jacobian(density, params, order, 3, jnp.asarray([1]))
    assert_zero_where_forbidden(group_dependence(jacobian), order)


def test_layers_narrower_than_the_number_of_bins_still_respect_the_order():
    order = np.tri(40, k=-1, dtype=bool)
    density = build(order, 1, (8, 4, 8))
    depends = group_dependence(bin_jacobian(density, random_params(density), order, 1))
    assert_zero_where_forbidden(depends, order)
    assert (depends[-1, :-1] > 0).all()


def test_jit_changes_nothing():
    density = build(ORDERS["causal"])
    params = random_params(density)
    x = window(6, 5, 3)
    np.testing.assert_allclose(
        jit_as_in_use(density.log_prob)(params, x),
        density.log_prob(params, x),
        rtol=1e-4,
        atol=1e-5,
    )


def test_a_fit_finds_the_entropy_of_what_it_is_shown():
    """x1 = x0 + noise: the joint's entropy is known, and the fitted density reaches it."""
    rng = np.random.default_rng(0)
    first = rng.normal(size=(4096, 1, 1))
    x = jnp.asarray(
        np.concatenate([first, first + 0.3 * rng.normal(size=first.shape)], 1), jnp.float32
    )
    density = build(adjacency_from_ranks((0, 1)), 1, (16,), head=gmade.gaussian())
    params = density.init(KEY)

    optimizer = optax.adam(0.01)

    @jax.jit
    def step(params, opt_state):
        loss, grads = jax.value_and_grad(density.loss)(params, x)
        updates, opt_state = optimizer.update(grads, opt_state)
        return loss, optax.apply_updates(params, updates), opt_state

    opt_state = optimizer.init(params)
    with jax.numpy_dtype_promotion("standard"):  # optax's own arithmetic needs it
        for _ in range(400):
            loss, params, opt_state = step(params, opt_state)
    entropy = np.log(2 * np.pi * np.e) + np.log(0.3)
    assert 2 * float(loss) == pytest.approx(entropy, abs=0.05)


def test_bad_targets_are_refused():
    with pytest.raises(ValueError, match="target"):
        build(ORDERS["causal"], targets=(7,))


def test_dropout_leaves_the_order_and_the_mean_activation_alone():
    order = ORDERS["causal"]
    density = build(order, hidden=(400,), dropout_rate=0.3)
    params = random_params(density)
    x = jnp.broadcast_to(window(1, 5, 3), (64, 5, 3))
    log_prob = jax.jit(density.log_prob)
    kept = log_prob(params, x)
    dropped = log_prob(params, x, None, jax.random.key(1))
    assert np.array_equal(kept[:, 0], dropped[:, 0])  # it reads no hidden unit
    assert not np.allclose(kept[:, 1:], dropped[:, 1:])
    jacobian = bin_jacobian(density, params, order, 3, key=jax.random.key(1))
    depends = group_dependence(jacobian)
    assert_zero_where_forbidden(depends, order)
    assert (depends[order] > 0).all()


def test_dropout_keeps_the_expected_unit():
    drop = dropout(KEY, 0.3)
    units = np.asarray(drop(0, jnp.ones((1000, 100))))
    assert set(np.unique(units).round(5)) == {0.0, np.float32(1 / 0.7).round(5)}
    assert units.mean() == pytest.approx(1, abs=0.01)
    assert not np.array_equal(units, drop(1, jnp.ones((1000, 100))))
