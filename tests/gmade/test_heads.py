from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from gmade.heads import MIN_LOG_SCALE, bernoulli, gaussian, mixture_of_gaussians
from tests.gmade import oracle
from tests.gmade.cases import KEY, assert_close, jit_as_in_use

HEADS = [gaussian(), mixture_of_gaussians(1), mixture_of_gaussians(4)]
GRID = np.linspace(-60, 60, 240_001, dtype=np.float32)


def random_params(head, scale=1.0):
    return scale * jax.random.normal(KEY, (1, *head.shape, 1))


def density_on(head, params, x):
    tiled = jnp.broadcast_to(params, (len(x), *params.shape[1:]))
    return np.exp(np.asarray(head.log_prob(tiled, jnp.asarray(x)[:, None]), np.float64)[:, 0])


@pytest.mark.parametrize("head", [gaussian(), mixture_of_gaussians(1), mixture_of_gaussians(10)])
def test_densities_integrate_to_one(head):
    total = np.trapezoid(density_on(head, random_params(head), GRID), GRID)
    assert total == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("logit", [-60.0, -1.3, 0.0, 0.7, 60.0])
def test_bernoulli_sums_to_one_and_equals_scipy(logit):
    head, x = bernoulli(), np.array([0, 1])
    log_prob = head.log_prob(jnp.full((1, 1), logit), jnp.asarray(x[:, None], jnp.float32))[:, 0]
    assert np.exp(np.asarray(log_prob, np.float64)).sum() == pytest.approx(1, abs=1e-6)
    signed = (2 * x - 1) * logit  # log p of 1, and of 0, without the rounding of 1 - p
    np.testing.assert_allclose(log_prob, -np.logaddexp(0, -signed), rtol=1e-6, atol=1e-5)
    if abs(logit) < 10:
        expected = stats.bernoulli(1 / (1 + np.exp(-logit))).logpmf(x)
        np.testing.assert_allclose(log_prob, expected, rtol=1e-5)


@pytest.mark.parametrize("x", [0.0, 1.0])
@pytest.mark.parametrize("logit", [-6000.0, -60.0, 0.4, 60.0, 6000.0])
def test_the_gradient_of_bernoulli_is_what_it_missed(logit, x):
    by_logit = jax.grad(lambda p: bernoulli().log_prob(p, jnp.full((1, 1), x)).sum())
    expected = x - 1 / (1 + np.exp(np.clip(-logit, -700, 700)))
    assert by_logit(jnp.full((1, 1), logit)).item() == pytest.approx(expected, abs=1e-6)


def test_samples_of_bernoulli_are_0_and_1_as_often_as_it_says():
    logits = jnp.broadcast_to(jnp.asarray([-60.0, -1.0, 0.5, 60.0]), (20_000, 4))
    draws = np.asarray(bernoulli().sample(KEY, logits))
    assert draws.dtype == np.float32 and set(np.unique(draws)) == {0.0, 1.0}
    np.testing.assert_allclose(draws.mean(0), 1 / (1 + np.exp(-np.asarray(logits[0]))), atol=0.015)


def test_gaussian_equals_scipy():
    params = jnp.asarray([0.7, -0.4]).reshape(1, 2, 1)
    expected = stats.norm(0.7, np.exp(-0.4)).logpdf(1.9)
    assert gaussian().log_prob(params, jnp.full((1, 1), 1.9)).item() == pytest.approx(
        expected, rel=1e-5
    )


def test_mixture_equals_scipy_component_by_component():
    head = mixture_of_gaussians(4)
    params = np.asarray(random_params(head))
    logits, means, log_scales = params[0, :, :, 0]
    weights = np.exp(logits) / np.exp(logits).sum()
    x = np.linspace(-4, 4, 9).astype(np.float32)
    expected = sum(
        w * stats.norm(m, np.exp(s)).pdf(x)
        for w, m, s in zip(weights, means, log_scales, strict=True)
    )
    np.testing.assert_allclose(density_on(head, jnp.asarray(params), x), expected, rtol=1e-4)


def test_a_mixture_of_one_is_the_gaussian():
    single = jnp.asarray([0.3, -1.0]).reshape(1, 2, 1)
    mixture = jnp.concatenate([jnp.full((1, 1, 1), 5.0), single], axis=1).reshape(1, 3, 1, 1)
    x = jnp.asarray([[0.9]])
    np.testing.assert_allclose(
        mixture_of_gaussians(1).log_prob(mixture, x), gaussian().log_prob(single, x), rtol=1e-5
    )


@pytest.mark.parametrize("head", [gaussian(), mixture_of_gaussians(10)])
@pytest.mark.parametrize("x", [0.0, 60.0, -60.0, 6000.0])
def test_gradients_are_finite_far_out(head, x):
    # A scale of e^-20 is clipped: one constant bin must not make the density unbounded.
    params = random_params(head).at[:, -1].set(-20.0)

    def nats(params, x):
        return -head.log_prob(params, x).sum()

    value, grads = jax.value_and_grad(nats, argnums=(0, 1))(params, jnp.full((1, 1), x))
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves((value, grads)))


@pytest.mark.parametrize("head", [gaussian(), mixture_of_gaussians(3)])
def test_samples_follow_the_density(head):
    params = random_params(head)
    many = jnp.broadcast_to(params, (20_000, *params.shape[1:]))
    draws = np.sort(np.asarray(head.sample(jax.random.key(1), many))[:, 0])
    density = density_on(head, params, GRID)
    cdf = np.concatenate([[0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(GRID))])
    empirical = np.arange(1, len(draws) + 1) / len(draws)
    assert np.abs(np.interp(draws, GRID, cdf) - empirical).max() < 0.015


def test_components_start_apart():
    means = mixture_of_gaussians(10).bias[1]
    assert len(np.unique(means)) == 10
    assert means.min() == pytest.approx(-1.5) and means.max() == pytest.approx(1.5)


def plain(head):
    """The log-density as anyone would write it, for JAX to differentiate by itself."""
    return oracle.gaussian_log_pdf if head.shape == (2,) else oracle.mixture_log_pdf


@cache
def value_and_gradients(log_prob):
    def both(params, x, g):
        value, pull_back = jax.vjp(log_prob, params, x)
        return value, pull_back(g)

    return both


def spread_params(head, scale, batch=7, bins=4):
    """Parameters of which the first row's scales are clipped."""
    rng = np.random.default_rng(0)
    params = scale * rng.normal(size=(batch, *head.shape, bins))
    params[0, -1] = MIN_LOG_SCALE - 0.1 - np.abs(params[0, -1])
    return jnp.asarray(params, jnp.float32)


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("scale", [0.3, 1.0])
@pytest.mark.parametrize("outlier", [0.0, 60.0, -60.0])
def test_gradients_are_those_of_the_density_written_out(head, scale, outlier):
    params = spread_params(head, scale)
    rng = np.random.default_rng(1)
    x = jnp.asarray(rng.normal(size=(7, 4)), jnp.float32).at[1:3].add(outlier)
    g = jnp.asarray(rng.normal(size=(7, 4)), jnp.float32)

    value, (by_params, by_x) = jit_as_in_use(value_and_gradients(head.log_prob))(params, x, g)
    true_value, true = oracle.in_float64(value_and_gradients(plain(head)), params, x, g)
    np.testing.assert_allclose(value, true_value, rtol=1e-5, atol=1e-5)
    for row in range(7):  # each by its own largest: those of an outlier are large
        assert_close((by_params[row], by_x[row]), (true[0][row], true[1][row]))
    clipped = np.asarray(params[:, -1]) < MIN_LOG_SCALE
    assert clipped.any() and not clipped.all()
    assert (np.asarray(by_params[:, -1])[clipped] == 0).all()
    assert (np.asarray(by_params[:, -1])[~clipped] != 0).any()


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("x", [0.5, 60.0, -60.0])
def test_a_density_is_the_same_with_its_gradient_and_without(head, x):
    params, x = spread_params(head, 1.0), jnp.full((7, 4), x)
    alone = head.log_prob(params, x)
    np.testing.assert_allclose(jax.vjp(head.log_prob, params, x)[0], alone, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("shift", [-256, 256])
def test_logits_have_meaning_only_against_each_other(shift):
    """Even where they would overflow, or all vanish."""
    head = mixture_of_gaussians(4)
    params, x = spread_params(head, 1.0), jnp.full((7, 4), 0.5)
    shifted = params.at[:, 0].add(shift)
    expected, expected_back = jax.vjp(head.log_prob, params, x)
    value, back = jax.vjp(head.log_prob, shifted, x)
    np.testing.assert_allclose(value, expected, atol=1e-4)
    np.testing.assert_allclose(head.log_prob(shifted, x), expected, atol=1e-4)
    assert_close(back(value), expected_back(value), 1e-4)


@pytest.mark.parametrize("head", HEADS)
def test_one_row_of_parameters_stands_for_all(head):
    """Its gradient is the sum of those that as many rows as there are windows would have."""
    params = spread_params(head, 1.0, batch=2)[1:]
    rng = np.random.default_rng(1)
    x, g = (jnp.asarray(rng.normal(size=(7, 4)).astype(np.float32)) for _ in range(2))
    repeated = jnp.broadcast_to(params, (7, *params.shape[1:]))
    both = jax.jit(value_and_gradients(head.log_prob))
    value, (by_params, by_x) = both(params, x, g)
    expected, (by_repeated, by_x_repeated) = both(repeated, x, g)
    assert_close((value, by_x), (expected, by_x_repeated))
    assert_close(by_params, by_repeated.sum(axis=0, keepdims=True))
    assert_close(head.log_prob(params, x), expected)
