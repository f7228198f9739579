import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from sed.attention import Attended, AttentionDetector, attention, doubled, halved, loss
from sed.losses import active_frames

KEY = jax.random.key(0)
HOP = 0.1


def test_attention_sums_to_one_and_is_proportional_to_probabilities():
    logits = 4 * jax.random.normal(KEY, (5, 37))
    alpha, p = attention(logits), jax.nn.sigmoid(logits)
    np.testing.assert_allclose(alpha.sum(-1), 1.0, atol=1e-6)
    np.testing.assert_allclose(alpha, p / p.sum(-1, keepdims=True), atol=1e-6)


def test_attention_is_finite_where_every_probability_is_zero():
    alpha = attention(jnp.full((1, 8), -200.0))
    np.testing.assert_allclose(alpha, 1 / 8)


def test_halving_and_doubling_keep_time():
    h = jnp.arange(7.0).reshape(1, 7, 1)
    np.testing.assert_array_equal(halved(h)[0, :, 0], [1, 3, 5, 6])
    np.testing.assert_array_equal(doubled(halved(h), 7)[0, :, 0], [1, 1, 3, 3, 5, 5, 6])


@pytest.mark.parametrize("num_frames", [32, 45])
def test_frames_keep_their_resolution_and_the_clip_has_the_same_classifier(num_frames):
    network = AttentionDetector(4, 3, 0.0)
    x = jax.random.normal(KEY, (2, num_frames, 6))
    variables = network.init(KEY, x)
    said = network.apply(variables, x)
    assert said.frames.shape == (2, num_frames) and said.clip.shape == (2,)
    # w·sum(alpha h) + b = sum(alpha (w·h + b)): one classifier for frames and clips.
    np.testing.assert_allclose(
        said.clip, (attention(said.frames) * said.frames).sum(-1), rtol=1e-4, atol=1e-5
    )


def test_frames_of_clips_without_the_event_do_not_count():
    truth = jnp.array([[0.5, 1.0], [-1.0, -1.0]])
    frames = jax.random.normal(KEY, (2, 20))

    def frame_loss(frames):
        return loss(Attended(jnp.zeros(2), frames), truth, HOP, 1.0)[0]

    grads = jnp.abs(jax.grad(frame_loss)(frames))
    assert (grads[0] > 0).all() and (grads[1] == 0).all()


def test_the_loss_is_that_of_clips_and_lambda_times_that_of_frames():
    truth = jnp.array([[0.5, 1.0]])
    said = Attended(jnp.array([0.3]), jax.random.normal(KEY, (1, 20)))
    active = active_frames(truth, 20, HOP)
    clip = -jax.nn.log_sigmoid(0.3)
    frames = -jnp.where(
        active, jax.nn.log_sigmoid(said.frames), jax.nn.log_sigmoid(-said.frames)
    ).mean()
    for weight in (0.0, 1.0, 3.0):
        np.testing.assert_allclose(
            loss(said, truth, HOP, weight)[0], clip + weight * frames, rtol=1e-5
        )


def test_frames_that_touch_the_event_are_active_and_a_short_one_has_a_frame():
    active = active_frames(jnp.array([[0.26, 0.44], [0.51, 0.52], [-1.0, -1.0]]), 8, HOP)
    assert np.flatnonzero(active[0]).tolist() == [3, 4]
    assert np.flatnonzero(active[1]).tolist() == [5]
    assert not active[2].any()


def test_it_learns_to_attend_to_a_planted_event():
    """A louder band, at a random place in every other clip."""
    rng = np.random.default_rng(0)
    x, truth = rng.normal(size=(32, 40, 4)), -np.ones((32, 2), np.float32)
    for i in range(0, 32, 2):
        first = rng.integers(0, 30)
        x[i, first : first + 6, 1] += 3.0
        truth[i] = HOP * first, HOP * (first + 5)
    x, truth = jnp.array(x, jnp.float32), jnp.array(truth)
    network, optimiser = AttentionDetector(6, 2, 0.0), optax.adam(0.02)
    params = network.init(KEY, x)["params"]

    @jax.jit
    def step(params, state):
        def total(params):
            return loss(network.apply({"params": params}, x), truth, HOP, 1.0)[0]

        updates, state = optimiser.update(jax.grad(total)(params), state)
        return optax.apply_updates(params, updates), state

    with jax.numpy_dtype_promotion("standard"):  # Adam counts steps in integers
        state = optimiser.init(params)
        for _ in range(120):
            params, state = step(params, state)
    said = jax.jit(network.apply)({"params": params}, x)
    alpha = np.asarray(attention(said.frames))
    active = np.asarray(active_frames(truth, 40, HOP))
    assert ((said.clip > 0) == (truth[:, 1] > 0)).mean() > 0.9
    assert np.where(active, alpha, 0)[::2].sum(-1).mean() > 0.8
