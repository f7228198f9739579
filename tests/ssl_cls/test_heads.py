import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ssl_cls.heads import ArcFace, Softmax, with_margin

MARGIN = 0.5


def test_softmax_is_affine():
    head, embedding = Softmax(3), jax.random.normal(jax.random.key(0), (5, 7))
    kernel, bias = jax.random.normal(jax.random.key(1), (7, 3)), jnp.arange(3.0)
    logits = head.apply({"params": {"kernel": kernel, "bias": bias}}, embedding)
    expected = np.asarray(embedding) @ np.asarray(kernel) + np.arange(3.0)
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)


def test_the_margin_is_on_the_angle():
    angles = jnp.linspace(0.05, np.pi - MARGIN - 0.01, 50)[None]
    ours = with_margin(jnp.cos(angles), jnp.full_like(angles, MARGIN))
    np.testing.assert_allclose(ours, np.cos(np.asarray(angles) + MARGIN), atol=1e-5)


def test_no_margin_leaves_the_cosine():
    cosine = jnp.linspace(-1, 1, 101)[None]
    none = jnp.zeros_like(cosine)
    np.testing.assert_allclose(with_margin(cosine, none), cosine, atol=1e-7)
    slope = jax.grad(lambda c: with_margin(c, none).sum())(cosine)
    np.testing.assert_allclose(slope, np.ones_like(slope), atol=1e-5)


def test_it_falls_with_the_angle_all_the_way():
    angles = jnp.linspace(0.0, np.pi, 400)[None]
    values = with_margin(jnp.cos(angles), jnp.full_like(angles, MARGIN))[0]
    assert (np.diff(values) <= 1e-6).all()
    assert values[0] - values[-1] > 1.9


@pytest.mark.parametrize("cosine", [-1.0, 1.0])
def test_gradients_are_finite_at_the_ends(cosine):
    slope = jax.grad(lambda c: with_margin(c[None, None], jnp.full((1, 1), MARGIN)).sum())(
        jnp.float32(cosine)
    )
    assert np.isfinite(slope)
    assert slope > 0


@pytest.fixture
def arcface():
    head = ArcFace(3, margin=MARGIN, scale=10.0)
    embedding = jax.random.normal(jax.random.key(0), (4, 6))
    return head, head.init(jax.random.key(1), embedding), embedding


def cosines(variables, embedding):
    centres = variables["params"]["centres"]
    products = np.asarray(embedding) @ np.asarray(centres).T
    return products / np.outer(np.linalg.norm(embedding, axis=1), np.linalg.norm(centres, axis=1))


def test_to_score_logits_are_scaled_cosines(arcface):
    head, variables, embedding = arcface
    np.testing.assert_allclose(
        head.apply(variables, embedding), 10 * cosines(variables, embedding), rtol=1e-4, atol=1e-5
    )


def test_in_training_the_margin_is_shared_as_the_targets_are(arcface):
    head, variables, embedding = arcface
    targets = jnp.array([[1.0, 0, 0], [0, 0, 1], [0.25, 0.75, 0], [0, 0.5, 0.5]])
    angles = np.arccos(cosines(variables, embedding)) + MARGIN * np.asarray(targets)
    assert angles.max() < np.pi
    ours = head.apply(variables, embedding, targets)
    np.testing.assert_allclose(ours, 10 * np.cos(angles), rtol=1e-4, atol=1e-4)


def test_an_embedding_of_zeros_has_a_finite_gradient(arcface):
    head, variables, embedding = arcface
    targets = jax.nn.one_hot(jnp.zeros(4, jnp.int32), 3)

    def loss(embedding):
        return -jax.nn.log_softmax(head.apply(variables, embedding, targets))[:, 0].sum()

    assert np.isfinite(jax.grad(loss)(jnp.zeros_like(embedding))).all()


def test_an_example_that_is_its_centre_has_a_finite_gradient(arcface):
    head, variables, _ = arcface
    centres = variables["params"]["centres"]

    def loss(embedding):
        return -jax.nn.log_softmax(head.apply(variables, embedding, jnp.eye(3))).trace()

    assert np.isfinite(jax.grad(loss)(centres)).all()
    assert np.isfinite(jax.grad(loss)(-centres)).all()
