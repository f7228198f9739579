"""Window scores to a clip score."""

import numpy as np
import pytest

from scoring.pooling import POOLS, pool

SCORES = np.array([3.0, -1.0, 0.0, 10.0, -2.0], dtype=np.float32)


@pytest.mark.parametrize(
    ("kind", "expected"), [("mean", 2.0), ("max", 10.0), ("median", 0.0), ("top10", 10.0)]
)
def test_by_hand(kind: str, expected: float):
    assert pool(SCORES, kind) == expected
    assert isinstance(pool(SCORES, kind), float)


def test_mean_is_the_default():
    assert pool(SCORES) == 2.0


def test_top10_is_the_mean_of_the_strangest_tenth():
    scores = np.random.default_rng(0).permutation(np.arange(100.0))
    assert pool(scores, "top10") == np.mean(np.arange(90, 100))


@pytest.mark.parametrize("kind", POOLS)
def test_one_window_is_its_own_pool(kind: str):
    assert pool(np.array([-7.5]), kind) == -7.5


@pytest.mark.parametrize("kind", POOLS)
def test_shifts_with_the_scores_and_ignores_their_order(kind: str):
    rng = np.random.default_rng(1)
    scores = rng.normal(size=309)
    assert pool(scores + 5, kind) == pytest.approx(pool(scores, kind) + 5)
    assert pool(rng.permutation(scores), kind) == pytest.approx(pool(scores, kind))


def test_unknown_kind_lists_the_known():
    with pytest.raises(ValueError, match="'sum': choose one of mean, max, median, top10"):
        pool(SCORES, "sum")


@pytest.mark.parametrize("shape", [(0,), (2, 3), ()])
def test_wrong_shapes(shape: tuple):
    with pytest.raises(ValueError, match="n >= 1"):
        pool(np.zeros(shape))
