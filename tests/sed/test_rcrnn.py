import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sed.intervals import iou
from sed.rcrnn import RCRNN, Regions, Said, detections, pool_regions
from sed.rcrnn_loss import hardest, loss

KEY = jax.random.key(0)
LENGTHS = (0.5, 1.0, 2.0)
X = jax.random.normal(KEY, (2, 64, 16))
TRUTH = jnp.array([[0.8, 1.9], [-1.0, -1.0]])


def network(num_regions=3):
    return RCRNN(
        hop_seconds=0.05,
        channels=(4, 8),
        pools=((1, 2), (2, 2)),
        features=8,
        recurrent=6,
        lengths=LENGTHS,
        num_regions=num_regions,
        max_iou=0.5,
        num_points=4,
        dropout_rate=0.0,
    )


@pytest.fixture(scope="module")
def variables():
    return jax.jit(network().init)(KEY, X)


def test_every_position_has_its_anchors_in_the_middle_of_its_frames(variables):
    said = network().apply(variables, X)
    centres = said.anchors.reshape(16, 3, 2).mean(-1)
    frames = 0.05 * np.arange(64).reshape(16, 4)
    np.testing.assert_allclose(centres[:, 0], frames.mean(1), atol=1e-6)
    assert said.proposed.logits.shape == (2, 48) and said.proposed.codes.shape == (2, 48, 2)


def test_regions_are_the_best_proposals_and_in_training_the_truth(variables):
    said = network().apply(variables, X)
    assert said.regions.shape == (2, 3, 2) and said.judged.codes.shape == (2, 3, 2)
    assert (said.regions >= 0).all() and (said.regions <= 64 * 0.05).all()
    trained = network().apply(variables, X, TRUTH, True)
    np.testing.assert_allclose(trained.regions[:, 3], TRUTH)
    np.testing.assert_allclose(trained.regions[:, :3], said.regions, atol=1e-6)
    first = iou(said.regions[0], said.regions[0]) - jnp.eye(3)
    assert first.max() <= 0.5 + 1e-6


def test_without_the_second_stage_proposals_are_the_detections(variables):
    said = network(0).apply(variables, X)
    spans, logits = detections(said)
    assert said.regions.shape == (2, 0, 2) and spans.shape == (2, 48, 2)
    np.testing.assert_array_equal(logits, said.proposed.logits)
    both = network().apply(variables, X)
    assert detections(both)[0].shape == (2, 3, 2)


def test_the_second_stage_does_not_move_the_proposals(variables):
    def judged(x):
        return network().apply(variables, x).judged.logits.sum()

    def regions(x):
        return network().apply(variables, x).regions.sum()

    assert jnp.abs(jax.grad(judged)(X)).max() > 0
    assert jnp.abs(jax.grad(regions)(X)).max() == 0


def test_a_region_is_pooled_from_its_own_steps():
    h = jnp.arange(10.0)[:, None] * jnp.ones((1, 3))
    pooled = pool_regions(h, jnp.array([[2.0, 6.0], [3.0, 3.0]]), 1.0, 4)
    # Steps are a second apart: the parts' middles are at 2.5, 3.5, 4.5 and 5.5 s.
    np.testing.assert_allclose(pooled[0, :, 0], [2.5, 3.5, 4.5, 5.5], atol=1e-6)
    np.testing.assert_allclose(pooled[1, :, 0], 3.0, atol=1e-6)
    assert pooled.shape == (2, 4, 3)


def test_a_long_region_is_averaged_and_one_beyond_the_ends_has_the_ends():
    h = jnp.arange(100.0)[:, None]
    long = pool_regions(h, jnp.array([[0.0, 99.0]]), 1.0, 3)[0, :, 0]
    np.testing.assert_allclose(long[1], 49.5, atol=1e-4)
    assert 8 < long[0] < 25 and 74 < long[2] < 91
    outside = pool_regions(h, jnp.array([[200.0, 201.0]]), 1.0, 2)[0, :, 0]
    np.testing.assert_allclose(outside, 99.0)


def said_of(logits, codes=None):
    anchors = jnp.array([[0.0, 1.0], [1.0, 2.0], [0.7, 2.2], [2.0, 3.0]])
    logits = jnp.broadcast_to(jnp.array(logits), (2, 4))
    codes = jnp.zeros((2, 4, 2)) if codes is None else codes
    none = jnp.zeros((2, 0, 2))
    return Regions(anchors, Said(logits, codes), none, Said(none[..., 0], none))


def test_right_proposals_cost_less_than_wrong_ones():
    # The second and third anchors overlap the event (0.8, 1.9); of the other clip all are misses.
    right = jnp.array([[-9.0, 9.0, 9.0, -9.0], [-9.0] * 4])
    low = loss(said_of(right), TRUTH, 0.5, 0.3, 4)[1]["proposals_class"]
    high = loss(said_of(-right), TRUTH, 0.5, 0.3, 4)[1]["proposals_class"]
    assert low < 1e-3 < 10 < high


def test_an_event_that_no_anchor_fits_has_its_best_one():
    truth = jnp.array([[0.0, 0.3], [-1.0, -1.0]])
    logits = jnp.array([[9.0, -9.0, -9.0, -9.0], [-9.0] * 4])
    assert loss(said_of(logits), truth, 0.5, 0.3, 4)[1]["proposals_class"] < 1e-3


def test_only_hits_learn_where_they_are():
    def span_loss(codes):
        return loss(said_of([0.0] * 4, codes), TRUTH, 0.5, 0.3, 4)[1]["proposals_span"]

    moved = jnp.abs(jax.grad(span_loss)(jnp.zeros((2, 4, 2)))).max(-1) > 0
    assert moved.tolist() == [[False, True, True, False], [False] * 4]


def test_the_hardest_misses_are_learned_from():
    misses = jnp.array([[True, True, False, True]])
    chosen = hardest(misses, jnp.array([[0.1, 2.0, 9.0, 1.0]]), 2)
    assert chosen.tolist() == [[False, True, False, True]]


def test_gradients_are_finite_with_and_without_events(variables):
    def total(params, truth):
        said = network().apply({"params": params}, X, truth, True)
        return loss(said, truth, 0.5, 0.3, 8)[0]

    for truth in (TRUTH, -jnp.ones((2, 2))):
        grads = jax.jit(jax.grad(total))(variables["params"], truth)
        assert all(jnp.isfinite(each).all() for each in jax.tree.leaves(grads))
