"""Our networks are Keras' networks."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ssl_cls.classifier import Classifier
from ssl_cls.heads import Softmax
from ssl_cls.mobilenet_v2 import MobileNetV2, scaled
from ssl_cls.resnet50 import ResNet50
from tests.ssl_cls import off_the_shelf
from tests.ssl_cls.off_the_shelf import NUM_CLASSES

CASES = {
    "MobileNetV2": (MobileNetV2(0.5), {"alpha": 0.5}, off_the_shelf.mobilenet_v2_variables),
    "ResNet50": (ResNet50(), {}, off_the_shelf.resnet50_variables),
}
NUM_PARAMETERS = {"MobileNetV2": 711_060, "ResNet50": 23_589_636}
IMAGES = np.random.default_rng(0).normal(size=(2, 64, 128)).astype(np.float32)


@pytest.fixture(scope="module", params=CASES)
def pair(request):
    """Name, our network and its variables, and Keras' with the same weights."""
    network, settings, as_variables = CASES[request.param]
    keras_model = off_the_shelf.build(request.param, **settings)
    model = Classifier(network, Softmax(NUM_CLASSES))
    variables = jax.tree.map(jnp.asarray, as_variables(keras_model))
    return request.param, model, variables, keras_model


def test_the_variables_have_the_shapes_of_our_own(pair):
    _, model, variables, _ = pair
    ours = jax.eval_shape(model.init, jax.random.key(0), IMAGES)
    assert jax.tree.map(jnp.shape, variables) == jax.tree.map(jnp.shape, ours)


def test_the_numbers_of_parameters(pair):
    name, model, _, keras_model = pair
    ours = jax.eval_shape(model.init, jax.random.key(0), IMAGES)
    count = sum(leaf.size for leaf in jax.tree.leaves(ours))
    assert count == keras_model.count_params() == NUM_PARAMETERS[name]


def test_the_same_logits(pair):
    _, model, variables, keras_model = pair
    theirs = np.asarray(keras_model(IMAGES[..., None], training=False))
    ours = jax.jit(model.apply)(variables, IMAGES).logits
    assert np.ptp(theirs) > 0.1
    assert np.ptp(theirs, axis=0).max() > 0.01  # or images would not matter
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


def test_the_same_step_of_training(pair):
    """Logits, and running statistics. The last test of a pair: it moves Keras' statistics."""
    name, model, variables, keras_model = pair
    as_variables = CASES[name][2]
    step = jax.jit(lambda v, x: model.apply(v, x, train=True, mutable=["batch_stats"]))
    ours, moved = step(variables, IMAGES)
    theirs = np.asarray(keras_model(IMAGES[..., None], training=True))
    np.testing.assert_allclose(ours.logits, theirs, rtol=1e-3, atol=1e-3)
    after = as_variables(keras_model)["batch_stats"]
    assert not np.allclose(
        *(jax.tree.leaves(each)[0] for each in (after, variables["batch_stats"]))
    )
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4),
        moved["batch_stats"],
        after,
    )


@pytest.mark.parametrize("width", [0.1, 0.25, 0.35, 0.75, 1.0, 1.4])
def test_channels_are_rounded_as_keras_rounds_them(width):
    off_the_shelf.import_keras()
    from keras.src.applications.mobilenet_v2 import _make_divisible

    for filters in (16, 24, 32, 64, 96, 160, 320):
        assert scaled(filters, width) == _make_divisible(int(filters * width), 8)
    assert scaled(32, width) == _make_divisible(32 * width, 8)


def test_a_narrow_network_has_keras_number_of_parameters():
    keras = off_the_shelf.import_keras()
    theirs = keras.applications.MobileNetV2(
        input_shape=off_the_shelf.SHAPE, alpha=0.2, weights=None, classes=7
    )
    model = Classifier(MobileNetV2(0.2), Softmax(7))
    ours = jax.eval_shape(model.init, jax.random.key(0), IMAGES)
    assert sum(leaf.size for leaf in jax.tree.leaves(ours)) == theirs.count_params()
