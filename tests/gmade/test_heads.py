import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from gmade.heads import gaussian, mixture_of_gaussians

KEY = jax.random.key(0)
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
