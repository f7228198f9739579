"""Orderings and connectivities, drawn anew or from a list."""

from itertools import permutations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gmade.degrees import Degrees, draw_degrees, listed_degrees, masks, pick_index
from gmade.ordering import adjacency_from_ranks, frame_ranks
from tests.gmade.cases import KEY


def many(num, num_groups, hidden, order=None):
    keys = jax.random.split(KEY, num)
    return jax.jit(jax.vmap(lambda key: draw_degrees(key, num_groups, hidden, order)))(keys)


def test_every_ordering_is_drawn_as_often_as_any_other():
    drawn = np.asarray(many(6000, 3, (2,)).groups)
    counts = [(drawn == order).all(axis=1).sum() for order in permutations(range(3))]
    assert sum(counts) == 6000
    assert max(np.abs(np.array(counts) - 1000)) < 5 * np.sqrt(1000 * 5 / 6)


def test_degrees_of_the_first_layer_are_uniform_from_the_first_rank_to_the_last_but_one():
    first = np.asarray(many(2000, 5, (6,)).units[0])
    assert first.shape == (2000, 6)
    values, counts = np.unique(first, return_counts=True)
    assert values.tolist() == [0, 1, 2, 3]
    assert np.abs(counts - 3000).max() < 5 * np.sqrt(3000 * 3 / 4)


def test_no_degree_is_below_the_lowest_of_the_layer_below():
    """Else a unit could have no path to any input; the rest is uniform from there on."""
    first, second, third = (np.asarray(layer) for layer in many(4000, 5, (2, 3, 1)).units)
    for below, above in [(first, second), (second, third)]:
        lowest = below.min(axis=1)
        assert (above >= lowest[:, None]).all() and above.max() == 3
        for low in range(4):
            values, counts = np.unique(above[lowest == low], return_counts=True)
            assert values.tolist() == list(range(low, 4))
            expected = counts.sum() / len(values)
            assert np.abs(counts - expected).max() < 5 * np.sqrt(expected) + 1


def test_an_order_that_is_given_is_kept_and_only_connections_are_drawn():
    order = frame_ranks("middle_last", 5)
    drawn = many(10, 5, (8, 8), order)
    assert (np.asarray(drawn.groups) == np.array(order)).all()
    assert len(np.unique(drawn.units[0], axis=0)) == 10


@pytest.mark.parametrize("order", [(0, 1), (0, 0, 1), (1, 2, 3)])
def test_an_order_that_does_not_rank_each_group_once_is_refused(order):
    with pytest.raises(ValueError, match="rank"):
        draw_degrees(KEY, 3, (4,), order)


def test_one_group_sees_nothing():
    degrees = draw_degrees(KEY, 1, (3, 2))
    assert [layer.tolist() for layer in degrees.units] == [[-1] * 3, [-1] * 2]
    mask = masks(degrees, 2)
    assert not mask.trunk[0].any() and mask.trunk[1].all()
    assert mask.head.all() and not mask.direct.any()


def test_masks_compare_ranks_and_degrees():
    mask = masks(Degrees(jnp.array([2, 0, 1]), (jnp.array([0, 1]), jnp.array([1, 0]))), 1)
    assert [m.astype(int).tolist() for m in mask.trunk] == [
        [[0, 0], [1, 1], [0, 1]],
        [[1, 1], [1, 0]],
    ]
    assert mask.head.astype(int).tolist() == [[1, 0, 0], [1, 0, 1]]
    assert np.array_equal(mask.direct.T, adjacency_from_ranks((2, 0, 1)))
    wide = masks(Degrees(jnp.array([1, 0]), (jnp.array([0]),)), 2)
    assert wide.trunk[0][:, 0].tolist() == [False, False, True, True]
    assert wide.head[0].tolist() == [True, True, False, False]


def test_a_list_is_its_key():
    """Its numbers, one by one or all at once, in a program or not, are always the same."""
    listed = [listed_degrees(KEY, i, 4, (6, 5)) for i in range(5)]
    again = jax.jit(jax.vmap(lambda i: listed_degrees(KEY, i, 4, (6, 5))))(jnp.arange(5))
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *listed)
    jax.tree.map(np.testing.assert_array_equal, again, stacked)
    assert len(np.unique(stacked.units[0], axis=0)) == 5
    other = listed_degrees(jax.random.key(1), 0, 4, (6, 5))
    assert not np.array_equal(other.units[0], listed[0].units[0])


def test_steps_pick_from_a_list_or_from_one_without_end():
    keys = jax.random.split(KEY, 400)

    def picked(num_masks):
        return np.asarray(jax.jit(jax.vmap(lambda key: pick_index(key, num_masks)))(keys))

    assert picked(1).tolist() == [0] * 400
    values, counts = np.unique(picked(4), return_counts=True)
    assert values.tolist() == [0, 1, 2, 3] and counts.min() > 60
    assert len(np.unique(picked(0))) == 400
    assert picked(0).dtype == picked(4).dtype == np.uint32
