import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sed.intervals import decode, encode, iou, length, nested_anchors, suppress

RNG = np.random.default_rng(0)


def spans(num):
    onset = RNG.uniform(0, 20, num)
    return jnp.array(np.stack([onset, onset + RNG.uniform(0.1, 5, num)], -1), jnp.float32)


def test_iou_by_hand():
    a = jnp.array([[0.0, 2.0], [5.0, 6.0]])
    b = jnp.array([[1.0, 3.0], [0.0, 2.0], [0.5, 1.0], [2.0, 4.0]])
    expected = [[1 / 3, 1, 0.25, 0], [0, 0, 0, 0]]
    np.testing.assert_allclose(iou(a, b), expected, atol=1e-6)


def test_iou_is_symmetric_and_unmoved_by_a_shift():
    a, b = spans(7), spans(9)
    np.testing.assert_allclose(iou(a, b), iou(b, a).T, atol=1e-6)
    np.testing.assert_allclose(iou(a + 3.0, b + 3.0), iou(a, b), atol=1e-5)


def test_no_event_overlaps_nothing():
    assert not iou(jnp.array([[-1.0, -1.0]]), spans(5)).any()


def test_encoding_and_decoding_are_inverses():
    anchors, events = spans(50), spans(50)
    np.testing.assert_allclose(decode(anchors, encode(anchors, events)), events, atol=1e-4)
    codes = jnp.array(RNG.normal(size=(50, 2)), jnp.float32)
    np.testing.assert_allclose(encode(anchors, decode(anchors, codes)), codes, atol=1e-3)


def test_a_code_is_a_shift_in_lengths_and_a_log_ratio():
    code = encode(jnp.array([[1.0, 3.0]]), jnp.array([[2.0, 6.0]]))
    np.testing.assert_allclose(code, [[1.0, np.log(2.0)]], atol=1e-6)


def test_where_there_is_no_event_codes_are_finite():
    nowhere = jnp.array([[-1.0, -1.0]])
    assert jnp.isfinite(encode(spans(1), nowhere)).all()
    assert jnp.isfinite(encode(nowhere, spans(1))).all()


def test_anchors_are_nested_about_every_position():
    anchors = nested_anchors(4, 0.5, (0.2, 1.0, 3.0)).reshape(4, 3, 2)
    np.testing.assert_allclose(anchors.mean(-1), np.repeat(0.5 * np.arange(4)[:, None], 3, 1))
    np.testing.assert_allclose(length(anchors), np.tile([0.2, 1.0, 3.0], (4, 1)), atol=1e-6)


CASES = jnp.array([[0.0, 2.0], [0.2, 2.2], [5.0, 6.0], [1.9, 4.0], [5.1, 6.0]])
SCORES = jnp.array([0.6, 0.9, 0.5, 0.8, 0.4])


def test_suppression_by_hand():
    # The second beats the first, which overlaps it; the fourth touches it by little and stays.
    kept, scores = suppress(CASES, SCORES, 0.5, 4)
    np.testing.assert_allclose(scores[:3], [0.9, 0.8, 0.5])
    np.testing.assert_allclose(kept[:3], CASES[jnp.array([1, 3, 2])])
    assert scores[3] == -jnp.inf


@pytest.mark.parametrize(("max_iou", "num"), [(0.0, 2), (0.99, 5)])
def test_what_may_overlap_decides_what_is_kept(max_iou, num):
    scores = suppress(CASES, SCORES, max_iou, 5)[1]
    assert int(jnp.isfinite(scores).sum()) == num


def test_kept_spans_do_not_overlap():
    every = spans(60)
    kept, scores = suppress(every, jnp.array(RNG.normal(size=60), jnp.float32), 0.3, 20)
    kept = kept[jnp.isfinite(scores)]
    overlaps = iou(kept, kept) - jnp.eye(len(kept))
    assert overlaps.max() <= 0.3 + 1e-6
    assert (jnp.diff(scores[jnp.isfinite(scores)]) <= 0).all()


def test_suppression_works_on_batches():
    many = jax.vmap(lambda s: suppress(CASES, s, 0.5, 2)[1])(jnp.stack([SCORES, -SCORES]))
    np.testing.assert_allclose(many, [[0.9, 0.8], [-0.4, -0.6]])
