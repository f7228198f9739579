import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sed.cnn import SmallCnn, halved
from sed.distortion import louder, masked, shifted, stretch, transposed

KEY = jax.random.key(0)


@pytest.fixture(scope="module")
def images():
    return jax.random.normal(jax.random.key(1), (3, 32, 16, 1))


@pytest.fixture(scope="module")
def network():
    return SmallCnn((4, 8))


@pytest.fixture(scope="module")
def variables(network, images):
    return network.init(KEY, images)


def count(params):
    return sum(leaf.size for leaf in jax.tree.leaves(params))


def test_embeddings_have_a_mean_and_a_maximum_of_each_channel(network, variables, images):
    assert network.apply(variables, images).shape == (3, 16)


def test_the_default_has_about_a_hundred_thousand_weights():
    shapes = jax.eval_shape(SmallCnn().init, KEY, jnp.zeros((1, 64, 64, 1)))
    assert count(shapes["params"]) == 9 * (16 + 16 * 32 + 32 * 64 + 64 * 128) + 2 * 240


def test_training_moves_the_running_statistics_and_scoring_does_not(network, variables, images):
    _, updated = network.apply(variables, images, True, mutable=["batch_stats"])
    before, after = variables["batch_stats"], updated["batch_stats"]
    changed = jax.tree.map(lambda a, b: float(jnp.abs(a - b).max()), before, after)
    assert min(jax.tree.leaves(changed)) > 0


def test_each_clip_is_scored_by_itself(network, variables, images):
    alone = network.apply(variables, images[1:2])
    np.testing.assert_allclose(network.apply(variables, images)[1:2], alone, atol=1e-5)


def test_when_something_sounds_hardly_matters(network, variables):
    """Steps of as many frames as the blocks average, away from the edges, change nothing."""
    burst = jnp.zeros((1, 32, 16, 1)).at[:, 10:14, 3:9].set(1.0)
    later = jnp.roll(burst, 8, axis=1)
    first, second = (network.apply(variables, each) for each in (burst, later))
    np.testing.assert_allclose(first, second, atol=1e-5)


def test_halves_are_means_of_squares_and_odd_edges_are_left_out():
    x = jnp.arange(15.0).reshape(1, 3, 5, 1)
    np.testing.assert_array_equal(halved(x)[0, :, :, 0], [[3.0, 5.0]])


def test_a_shift_keeps_every_frame():
    images = jnp.arange(40.0).reshape(2, 10, 2)
    moved = shifted(KEY, images, 0.5)
    np.testing.assert_array_equal(np.sort(moved, axis=1), images)
    np.testing.assert_array_equal(shifted(KEY, images, 0.0), images)


def test_a_gain_is_one_number_an_image_within_its_bounds():
    gains = np.asarray(louder(KEY, jnp.zeros((64, 4, 3)), 6.0))
    assert np.ptp(gains, axis=(1, 2)).max() == 0
    assert 4 < gains.max() <= 6 and -6 <= gains.min() < -4


def test_masks_hide_one_stretch_of_time_and_one_of_bands():
    images, fill = jnp.zeros((64, 20, 10)), jnp.arange(1.0, 11.0)
    out = np.asarray(masked(KEY, images, fill, 0.5, 0.0))
    rows = (out > 0).all(-1)
    np.testing.assert_array_equal(rows, (out > 0).any(-1))
    assert rows.sum(1).max() <= 10 and rows.any()
    assert (np.abs(np.diff(rows.astype(int), axis=1)).sum(1) <= 2).all()
    np.testing.assert_array_equal(out[rows], np.broadcast_to(fill, out[rows].shape))
    np.testing.assert_array_equal(masked(KEY, images, fill, 0.0, 0.0), images)


def test_a_stretch_may_lie_anywhere():
    hidden = np.asarray(stretch(KEY, 512, 10, 0.4))
    assert hidden.any(0).all() and hidden.sum(1).max() <= 4


def test_bands_are_moved_whole_and_by_no_more_than_asked():
    images = jnp.broadcast_to(jnp.arange(16.0), (64, 3, 16))
    moved = transposed(jax.random.key(0), images, 2)
    shifts = np.asarray(8 - moved[:, 0, 8])
    assert set(shifts.tolist()) == {-2, -1, 0, 1, 2}
    np.testing.assert_array_equal(moved[:, 0], moved[:, 2])
    np.testing.assert_array_equal(moved[:, 0, 0], np.maximum(-shifts, 0))
    np.testing.assert_array_equal(transposed(jax.random.key(0), images, 0), images)
