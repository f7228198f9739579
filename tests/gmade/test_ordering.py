import numpy as np
import pytest

from gmade.ordering import adjacency_from_ranks, check_adjacency, depths, frame_ranks, regroup


def sees(adjacency):
    return [set(np.flatnonzero(row)) for row in adjacency]


def test_causal_frames_see_those_before_them():
    adjacency = adjacency_from_ranks(frame_ranks("causal", 5))
    assert sees(adjacency) == [set(), {0}, {0, 1}, {0, 1, 2}, {0, 1, 2, 3}]


def test_reversed_is_causal_backwards():
    adjacency = adjacency_from_ranks(frame_ranks("reversed", 4))
    assert sees(adjacency) == [{1, 2, 3}, {2, 3}, {3}, set()]


def test_middle_last_sees_all_the_others_which_are_causal():
    adjacency = adjacency_from_ranks(frame_ranks("middle_last", 5))
    assert sees(adjacency) == [set(), {0}, {0, 1, 3, 4}, {0, 1}, {0, 1, 3}]


def test_first_last_predicts_the_first_frame():
    assert sees(adjacency_from_ranks(frame_ranks("first_last", 3))) == [{1, 2}, set(), {1}]


def test_frames_of_one_rank_do_not_see_each_other():
    adjacency = adjacency_from_ranks((0, 0, 1, 0, 0))
    assert sees(adjacency) == [set(), set(), {0, 1, 3, 4}, set(), set()]


def test_unknown_ordering_names_the_known_ones():
    with pytest.raises(ValueError, match="middle_last"):
        frame_ranks("sideways", 5)


@pytest.mark.parametrize("name", ["causal", "reversed", "middle_last", "first_last"])
@pytest.mark.parametrize("num_frames", [1, 2, 5, 6])
def test_every_named_ordering_is_a_total_order(name, num_frames):
    ranks = frame_ranks(name, num_frames)
    assert sorted(ranks) == list(range(num_frames))
    check_adjacency(adjacency_from_ranks(ranks))


def test_a_group_that_sees_itself_is_refused():
    with pytest.raises(ValueError, match="group 1"):
        check_adjacency(np.diag([False, True, False]))


def test_an_order_that_is_not_transitive_is_refused():
    chain = np.zeros((3, 3), bool)
    chain[1, 0] = chain[2, 1] = True
    with pytest.raises(ValueError, match="group 2 sees group 0"):
        check_adjacency(chain)


def test_a_cycle_is_refused():
    with pytest.raises(ValueError, match="partial order"):
        check_adjacency(np.array([[False, True], [True, False]]))


def test_depth_is_the_longest_chain_below():
    diamond = np.zeros((4, 4), bool)
    diamond[1, 0] = diamond[2, 0] = True
    diamond[3, :3] = True
    assert depths(diamond).tolist() == [0, 1, 1, 2]


def test_regroup_of_one_group_is_the_order_of_its_bins():
    assert np.array_equal(regroup(np.zeros((1, 1), bool), 4), np.tri(4, k=-1, dtype=bool))


def test_regroup_keeps_frames_in_order_and_adds_bins_within():
    bins = regroup(adjacency_from_ranks((1, 0)), 2)
    assert sees(bins) == [{2, 3}, {0, 2, 3}, set(), {2}]
    check_adjacency(bins)
