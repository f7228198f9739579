import numpy as np
import pytest

from gmade.masks import (
    distinct_views,
    head_mask,
    is_subset,
    seen_groups,
    spread_degrees,
    trunk_masks,
)
from gmade.ordering import adjacency_from_ranks

CAUSAL = adjacency_from_ranks(range(5))


def test_units_that_see_nothing_are_left_out_unless_they_have_a_context():
    assert distinct_views(CAUSAL, has_context=False).sum(1).tolist() == [1, 2, 3, 4]
    assert distinct_views(CAUSAL, has_context=True).sum(1).tolist() == [0, 1, 2, 3, 4]


def test_groups_that_see_the_same_share_a_view():
    adjacency = adjacency_from_ranks((0, 0, 1, 0, 0))
    assert distinct_views(adjacency, has_context=False).tolist() == [
        [True, True, False, True, True]
    ]


@pytest.mark.parametrize("width,num_views", [(128, 4), (32, 5), (7, 3), (9, 9)])
def test_degrees_are_sorted_and_even(width, num_views):
    degrees = spread_degrees(width, num_views)
    counts = np.bincount(degrees, minlength=num_views)
    assert (np.diff(degrees) >= 0).all()
    assert len(counts) == num_views and counts.max() - counts.min() <= 1


def test_a_narrow_layer_still_reaches_the_largest_view():
    degrees = spread_degrees(4, 39)
    assert degrees[-1] == 38 and len(set(degrees)) == 4


def test_subsets():
    views = np.array([[True, False], [False, True], [True, True]])
    assert is_subset(views, views).tolist() == [
        [True, False, True],
        [False, True, True],
        [False, False, True],
    ]


def test_trunk_masks_of_a_causal_order_are_block_triangular():
    views = distinct_views(CAUSAL, has_context=False)
    first, second = trunk_masks(views, 2, (4, 8))
    assert first.shape == (8, 4) and second.shape == (4, 8)  # nobody sees the last group
    assert first.sum(0).tolist() == [2, 4, 6, 8]
    assert second.sum(0).tolist() == [1, 1, 2, 2, 3, 3, 4, 4]


@pytest.mark.parametrize(
    "ranks,seen",
    [(range(5), [0, 1, 2, 3]), ((2, 0, 3, 1), [1, 3, 0]), ((0, 0, 1, 0, 0), [0, 1, 3, 4])],
)
def test_groups_are_read_in_the_order_of_the_views_that_see_them(ranks, seen):
    adjacency = adjacency_from_ranks(ranks)
    for has_context in (False, True):
        assert seen_groups(distinct_views(adjacency, has_context)).tolist() == seen


def test_nothing_is_read_where_nothing_is_seen():
    views = distinct_views(np.zeros((3, 3), bool), has_context=False)
    assert seen_groups(views).size == 0
    assert [mask.shape for mask in trunk_masks(views, 4, (6, 5))] == [(0, 6), (6, 5)]


def test_a_total_order_reads_a_prefix_of_the_last_layer():
    views = distinct_views(CAUSAL, has_context=False)
    readable = head_mask(views, 8, CAUSAL)
    assert readable.sum(0).tolist() == [0, 2, 4, 6, 8]
    assert (np.diff(readable.astype(int), axis=0) <= 0).all()
