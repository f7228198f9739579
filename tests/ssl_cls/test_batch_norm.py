import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ssl_cls.batch_norm import BatchNorm, normalise

EPSILON = 1e-3


def by_definition(x, scale, bias):
    mean = x.mean((0, 1, 2), keepdims=True)
    var = jnp.square(x - mean).mean((0, 1, 2), keepdims=True)
    return scale[None, None, None] * (x - mean) / jnp.sqrt(var + EPSILON) + bias[None, None, None]


@pytest.fixture
def arguments():
    rng = np.random.default_rng(0)
    shapes = ((4, 3, 5, 6), (6,), (6,))
    return tuple(jnp.asarray(rng.normal(1, 2, shape), jnp.float32) for shape in shapes)


def test_it_is_the_definition(arguments):
    y, mean, var = normalise(*arguments, EPSILON)
    np.testing.assert_allclose(y, by_definition(*arguments), atol=1e-5)
    np.testing.assert_allclose(mean, arguments[0].mean((0, 1, 2)), atol=1e-6)
    np.testing.assert_allclose(var, arguments[0].var((0, 1, 2)), rtol=1e-5)


def test_the_gradient_is_the_definitions(arguments):
    def loss(function):
        return lambda *args: jnp.sin(function(*args)).sum()

    ours = jax.grad(loss(lambda *args: normalise(*args, EPSILON)[0]), (0, 1, 2))(*arguments)
    theirs = jax.grad(loss(by_definition), (0, 1, 2))(*arguments)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=2e-5, rtol=1e-4), ours, theirs)


def test_running_statistics_move_by_the_momentum_and_score(arguments):
    x = arguments[0]
    norm = BatchNorm(momentum=0.9, epsilon=EPSILON)
    variables = norm.init(jax.random.key(0), x, True)
    _, moved = norm.apply(variables, x, True, mutable=["batch_stats"])
    stats = moved["batch_stats"]
    np.testing.assert_allclose(stats["mean"], 0.1 * x.mean((0, 1, 2)), rtol=1e-5)
    np.testing.assert_allclose(stats["var"], 0.9 + 0.1 * x.var((0, 1, 2)), rtol=1e-5)
    mean, var = (np.asarray(stats[name])[None, None, None] for name in ("mean", "var"))
    y = norm.apply({**variables, **moved}, x, False)
    np.testing.assert_allclose(y, (x - mean) / np.sqrt(var + EPSILON), atol=1e-5)


def test_an_offset_is_a_bias_below(arguments):
    """In training the mean takes it away; to score, the running mean knows of it."""
    x, bias = arguments[:2]
    plain, kept = BatchNorm(0.9, EPSILON), BatchNorm(0.9, EPSILON, with_offset=True)
    below = {
        "params": {"scale": jnp.ones(6), "bias": jnp.zeros(6)},
        "batch_stats": {"mean": jnp.zeros(6), "var": jnp.ones(6)},
    }
    inside = {**below, "params": {**below["params"], "offset": bias}}
    biased = x + bias[None, None, None]
    for train in (True, False):
        y, stats = plain.apply(below, biased, train, mutable=["batch_stats"])
        ours, ours_stats = kept.apply(inside, x, train, mutable=["batch_stats"])
        np.testing.assert_allclose(ours, y, atol=1e-4)
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), ours_stats, stats)
