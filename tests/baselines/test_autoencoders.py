import os
from functools import reduce
from operator import getitem

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import baselines
from baselines.conv import doubled

RNG = np.random.default_rng(0)
KEY = jax.random.key(0)


def test_divergence_is_that_of_normals():
    """By integration over a grid, one dimension at a time."""
    mean, log_variance = np.array([[0.3, -1.2]]), np.array([[-0.7, 0.4]])
    x = np.linspace(-15, 15, 200_001)[:, None]
    std = np.exp(log_variance / 2)
    log_q = -0.5 * ((x - mean) / std) ** 2 - np.log(std) - 0.5 * np.log(2 * np.pi)
    log_p = -0.5 * x**2 - 0.5 * np.log(2 * np.pi)
    expected = (np.exp(log_q) * (log_q - log_p)).sum() * (x[1, 0] - x[0, 0])
    found = baselines.kl_divergence(jnp.asarray(mean), jnp.asarray(log_variance))
    np.testing.assert_allclose(found, [expected], rtol=1e-5)
    assert baselines.kl_divergence(jnp.zeros((1, 3)), jnp.zeros((1, 3)))[0] == 0


def dense(variational=False):
    return baselines.Autoencoder(
        baselines.DenseLayers((16, 12), True),
        baselines.Dense(4, not variational, not variational),
        baselines.DenseLayers((12, 16), True, (3, 5)),
        baselines.Dense(4) if variational else None,
    )


X = jnp.asarray(RNG.normal(-30, 5, (8, 3, 5)), jnp.float32)


def keras_twin(params, statistics):
    """The challenge's autoencoder in Keras, with the weights of ours."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    def block(path):
        own = reduce(getitem, path, params)
        layers = [keras.layers.Dense(own["Dense_0"]["kernel"].shape[1])]
        weights = [[own["Dense_0"]["kernel"], own["Dense_0"]["bias"]]]
        if "BatchNorm_0" in own:
            norm, moments = own["BatchNorm_0"], reduce(getitem, path, statistics)["BatchNorm_0"]
            layers += [keras.layers.BatchNormalization(), keras.layers.ReLU()]
            weights += [[norm["scale"], norm["bias"], moments["mean"], moments["var"]], []]
        return list(zip(layers, weights, strict=True))

    paths = [("encoder", "Dense_0"), ("encoder", "Dense_1"), ("narrow",)]
    paths += [("decoder", f"Dense_{i}") for i in range(3)]
    pairs = [pair for path in paths for pair in block(path)]
    model = keras.Sequential([keras.layers.Input((15,)), *(layer for layer, _ in pairs)])
    for layer, weights in pairs:
        layer.set_weights([np.asarray(each) for each in weights])
    return model


def test_it_is_the_challenges_autoencoder_in_training_and_after():
    model = dense()
    variables = jax.device_get(model.init(KEY, X[:1]))
    noisy = jax.tree.map(lambda v: v + RNG.uniform(0.1, 0.3, v.shape).astype(v.dtype), variables)
    twin = keras_twin(noisy["params"], noisy["batch_stats"])
    flat = X.reshape(len(X), -1)
    after = model.apply(noisy, X).prediction.reshape(len(X), -1)
    np.testing.assert_allclose(after, twin(flat, training=False), rtol=1e-4, atol=1e-5)
    outputs, changed = model.apply(noisy, X, train=True, mutable=["batch_stats"])
    np.testing.assert_allclose(
        outputs.prediction.reshape(len(X), -1), twin(flat, training=True), rtol=1e-3, atol=1e-4
    )
    moments = changed["batch_stats"]["narrow"]["BatchNorm_0"]
    norms = [layer for layer in twin.layers if "batch_norm" in layer.name]
    np.testing.assert_allclose(moments["mean"], norms[2].moving_mean, rtol=1e-4)
    np.testing.assert_allclose(moments["var"], norms[2].moving_variance, rtol=1e-3)


def test_a_variational_code_is_drawn_in_training_and_the_mean_after():
    model = dense(variational=True)
    variables = model.init({"params": KEY, "code": KEY}, X)

    def train(key):
        return model.apply(variables, X, train=True, rngs={"code": key}, mutable=["batch_stats"])[0]

    one, other = train(jax.random.key(1)), train(jax.random.key(2))
    assert np.abs(one.prediction - other.prediction).max() > 1e-3
    np.testing.assert_array_equal(one.code, other.code)
    assert (one.kl > 0).all()
    after = model.apply(variables, X)
    np.testing.assert_array_equal(after.prediction, model.apply(variables, X).prediction)


def test_drawn_codes_have_the_mean_and_the_variance_they_say():
    model = baselines.Autoencoder(
        baselines.DenseLayers(()), baselines.Dense(1), Identity(), baselines.Dense(1)
    )
    x = jnp.ones((20_000, 2))
    variables = model.init({"params": KEY, "code": KEY}, x[:1])
    drawn = model.apply(variables, x, train=True, rngs={"code": jax.random.key(3)})
    log_variance = (x[:1] @ variables["params"]["log_variance"]["Dense_0"]["kernel"]).item()
    assert float(drawn.prediction.mean()) == pytest.approx(float(drawn.code[0, 0]), abs=0.05)
    assert float(drawn.prediction.var()) == pytest.approx(np.exp(log_variance), rel=0.05)


class Identity(nn.Module):
    def __call__(self, code, train):
        return code


@pytest.mark.parametrize("shape", [(16, 16), (13, 21)])
def test_convolutions_go_down_and_come_up_to_the_same_shape(shape):
    channels = (4, 8)
    model = baselines.Autoencoder(
        baselines.ConvEncoder(channels),
        baselines.Dense(3),
        baselines.ConvDecoder(channels, shape),
        baselines.Dense(3),
    )
    x = jnp.asarray(RNG.normal(size=(2, *shape)), jnp.float32)
    variables = model.init({"params": KEY, "code": KEY}, x)
    outputs = model.apply(variables, x)
    assert outputs.prediction.shape == x.shape and outputs.code.shape == (2, 3)
    slopes = jax.grad(lambda z: model.apply(variables, z).prediction[0, -1, -1])(x)
    assert np.abs(slopes[0, -1, -1]) > 0 and (slopes[1] == 0).all()


def test_four_channels_become_a_square():
    x = jnp.arange(2 * 3 * 4.0).reshape(1, 2, 3, 4)
    y = doubled(x)[0, :, :, 0]
    assert y.shape == (4, 6)
    np.testing.assert_array_equal(y[:2, :2], [[0, 1], [2, 3]])
    np.testing.assert_array_equal(y[2:, 4:], [[20, 21], [22, 23]])
