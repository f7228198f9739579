import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from ssl_cls.classifier import Classifier, pooled
from ssl_cls.heads import ArcFace, Softmax
from ssl_cls.layers import Convolution
from ssl_cls.losses import accuracy, soft_cross_entropy
from ssl_cls.mobilenet_v2 import Bottleneck

CLASSES = jnp.arange(12) % 3
TARGETS = jax.nn.one_hot(CLASSES, 3)


class Small(nn.Module):
    """One block of MobileNetV2."""

    @nn.compact
    def __call__(self, images, train):
        x = Bottleneck(6, 16, stride=2, momentum=0.8)(Convolution(8, size=3)(images), train)
        return nn.relu(x).mean((1, 2))


def loud_rows():
    """Which rows are loud says which class an image is of."""
    noise = np.random.default_rng(0).standard_normal((12, 16, 16), np.float32)
    band = jnp.arange(16)[None] // 4 == CLASSES[:, None]
    return noise + 3 * band[:, :, None].astype(jnp.float32)


@pytest.mark.parametrize(
    "head",
    [Softmax(3), ArcFace(3, margin=0.3, scale=10.0)],
    ids=["softmax", "arcface"],
)
def test_a_classifier_learns(head):
    model, images = Classifier(Small(), head, dropout=0.1), loud_rows()
    variables = jax.jit(model.init)(jax.random.key(1), images)
    optimizer = optax.adam(3e-2)
    state = (variables, optimizer.init(variables["params"]))

    @jax.jit
    def step(state, key):
        variables, opt_state = state

        def loss(params):
            now, rngs = {**variables, "params": params}, {"dropout": key}
            outputs, moved = model.apply(
                now, images, TARGETS, train=True, mutable=["batch_stats"], rngs=rngs
            )
            return soft_cross_entropy(outputs.logits, TARGETS).mean(), moved

        params = variables["params"]
        (nats, moved), grads = jax.value_and_grad(loss, has_aux=True)(params)
        updates, opt_state = optimizer.update(grads, opt_state)
        return ({"params": optax.apply_updates(params, updates), **moved}, opt_state), nats

    losses = []
    with jax.numpy_dtype_promotion("standard"):  # optax counts its steps in integers
        for i in range(30):
            state, nats = step(state, jax.random.key(i))
            losses.append(float(nats))
    assert np.mean(losses[-3:]) < 0.5 * losses[0]
    outputs = model.apply(state[0], images)
    assert accuracy(outputs.logits, TARGETS) > 0.8


@pytest.fixture
def small():
    model = Classifier(Small(), ArcFace(3), dropout=0.5)
    return model, model.init(jax.random.key(1), loud_rows())


def test_logits_are_the_heads_of_the_embedding(small):
    model, variables = small
    logits, embedding = model.apply(variables, loud_rows())
    assert embedding.shape == (12, 16)
    head = {"params": variables["params"]["head"]}
    np.testing.assert_allclose(model.head.apply(head, embedding), logits, rtol=1e-6)


def test_targets_reach_the_margin(small):
    model, variables = small
    plain, _ = model.apply(variables, loud_rows())
    harder, _ = model.apply(variables, loud_rows(), TARGETS)
    own = np.asarray(TARGETS, bool)
    assert (harder < plain)[own].all()
    np.testing.assert_allclose(harder[~own], plain[~own], atol=1e-5)


def test_dropout_silences_the_embedding_in_training_alone(small):
    model, variables = small

    def trained(key):
        rngs = {"dropout": jax.random.key(key)}
        outputs, _ = model.apply(
            variables, loud_rows(), TARGETS, train=True, mutable=["batch_stats"], rngs=rngs
        )
        return outputs

    one, other = trained(0), trained(1)
    assert not np.allclose(one.logits, other.logits)
    np.testing.assert_array_equal(one.embedding, other.embedding)
    scored = [model.apply(variables, loud_rows()).logits for _ in range(2)]
    np.testing.assert_array_equal(*scored)


def test_pooling_averages_squares():
    images = jnp.arange(2 * 4 * 6, dtype=jnp.float32).reshape(2, 4, 6)
    half = pooled(images, 2)
    assert half.shape == (2, 2, 3)
    assert half[0, 0, 0] == (0 + 1 + 6 + 7) / 4
    assert half[1, 1, 2] == images[1, 2:, 4:].mean()
    assert jnp.array_equal(pooled(images, 1), images)
