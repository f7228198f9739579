import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.signal import medfilt

from sed.frames import FrameClassifier, loss
from sed.marks import active_runs, attended, best_region, longest

KEY = jax.random.key(0)


def test_the_best_region_is_marked_if_it_is_over_the_threshold():
    spans, scores = np.array([[1.0, 2.0], [-0.2, 4.0]]), np.array([0.3, 0.6])
    assert best_region(spans, scores, 0.5) == [(0.0, 4.0, 0.6)]
    assert best_region(spans, scores, 0.7) == []


def test_what_is_attended_to_is_marked_about_the_peak():
    frames = np.array([0.9, 0.1, 0.6, 1.0, 0.5, 0.4, 0.8])
    (mark,) = attended(frames, 0.7, 0.5, 0.1, 0.5)
    assert mark == pytest.approx((0.15, 0.45, 0.7))
    assert attended(frames, 0.7, 0.8, 0.1, 0.5) == []


def test_attention_at_either_end_is_marked_to_the_end():
    (mark,) = attended(np.array([1.0, 1.0, 0.1]), 0.9, 0.5, 0.1, 0.5)
    assert mark[:2] == pytest.approx((0.0, 0.15))
    (mark,) = attended(np.array([0.1, 1.0, 1.0]), 0.9, 0.5, 0.1, 0.5)
    assert mark[:2] == pytest.approx((0.05, 0.25))


def test_runs_are_smoothed_as_by_a_median_filter():
    rng = np.random.default_rng(0)
    frames = rng.random(200)
    smooth = medfilt((frames >= 0.4).astype(float), 5) > 0.5
    covered = np.zeros(200, bool)
    for mark in active_runs(frames, 0.4, 1.0, 5):
        # An event that begins with the clip begins at zero, not half a frame before.
        first = round(mark.onset + 0.5) if mark.onset else 0
        covered[first : round(mark.offset + 0.5)] = True
    np.testing.assert_array_equal(covered, smooth)


def test_the_longest_mark_is_kept_alone():
    marks = active_runs(np.array([1.0, 1, 0, 0, 1, 1, 1, 0]), 0.5, 1.0, 1)
    assert len(marks) == 2
    assert longest(marks) == [marks[1]] and longest([]) == []


def test_no_frames_over_the_threshold_are_no_marks():
    assert active_runs(np.full(50, 0.2), 0.5, 0.1, 7) == []


def test_frames_are_judged_by_their_context_alone():
    network = FrameClassifier((6, 6), 5, 0.0)
    x = jax.random.normal(KEY, (1, 30, 4))
    variables = network.init(KEY, x)
    seen = jax.grad(lambda x: network.apply(variables, x)[0, 15])(x)
    touched = np.flatnonzero(np.abs(seen[0]).max(-1))
    assert touched.tolist() == [13, 14, 15, 16, 17]


def test_the_baseline_has_the_size_of_dcase_2017s():
    params = FrameClassifier((50, 50), 5, 0.2).init(KEY, jnp.zeros((1, 20, 40)))["params"]
    num = sum(each.size for each in jax.tree.leaves(params))
    assert num == (200 * 50 + 50) + (50 * 50 + 50) + 51


def test_the_frames_loss_is_lowest_where_frames_are_right():
    truth = jnp.array([[0.3, 0.6], [-1.0, -1.0]])
    right = jnp.full((2, 10), -9.0).at[0, 3:7].set(9.0)
    assert loss(right, truth, 0.1)[0] < 1e-3 < loss(-right, truth, 0.1)[0]
