import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gmade
from gmade import blocks
from gmade.blocks import MIN_COLUMNS, Block, cut, equal_runs, masked, runs_of_one_prefix
from gmade.network import structure
from gmade.ordering import adjacency_from_ranks, frame_ranks
from tests.gmade import oracle
from tests.gmade.cases import KEY, ORDERS, build, build_fine, group_size

TOTAL = ["causal", "reversed", "middle_last", "first_last"]


def staircase(*heights, rows=None):
    """A mask whose columns read a prefix each."""
    return np.arange(rows or max(heights))[:, None] < np.array(heights)[None]


def rebuilt(parts, shape):
    """The mask that blocks stand for."""
    mask = np.zeros(shape, bool)
    for block in parts:
        inside = True if block.mask is None else block.mask
        mask[: block.prefix, block.columns.start : block.columns.stop] = inside
    return mask


def shapes(density):
    return jax.eval_shape(density.init, KEY)


def num_weights(params):
    every = [*params["head"], *(block for layer in params["trunk"]["layers"] for block in layer)]
    return sum(block["w"].size for block in every if "w" in block)


def num_needed(truth):
    """Weights that masks leave, of a head of six numbers a bin."""
    return sum(int(mask.sum()) for mask in truth.trunk) + 6 * int(truth.head.sum())


@pytest.mark.parametrize("density", [0.05, 0.5, 1.0])
@pytest.mark.parametrize("size", [1, 3, 20])
def test_blocks_say_all_that_their_mask_says(density, size):
    mask = np.random.default_rng(0).random((12, 20)) < density
    parts = cut(mask, equal_runs(20, size))
    assert [column for block in parts for column in block.columns] == list(range(20))
    assert np.array_equal(rebuilt(parts, mask.shape), mask)


def test_a_block_reads_no_row_below_the_last_that_any_of_it_reads():
    first, second, third = cut(staircase(0, 0, 2, 2, 3, 5, rows=7), equal_runs(6, 2))
    assert (first.prefix, second.prefix, third.prefix) == (0, 2, 5)
    assert first.mask is None and second.mask is None
    assert np.array_equal(third.mask, staircase(3, 5))


def test_equal_runs_are_of_one_size_but_the_last():
    assert equal_runs(7, 3) == [range(3), range(3, 6), range(6, 7)]
    assert equal_runs(6, 3) == [range(3), range(3, 6)]


def test_runs_end_where_the_prefix_does(monkeypatch):
    mask = staircase(1, 1, 1, 2, 3, 3)
    monkeypatch.setattr(blocks, "MIN_COLUMNS", 1)
    assert runs_of_one_prefix(mask) == [range(3), range(3, 4), range(4, 6)]
    monkeypatch.setattr(blocks, "MIN_COLUMNS", 2)
    assert runs_of_one_prefix(mask) == [range(3), range(3, 6)]
    monkeypatch.setattr(blocks, "MIN_COLUMNS", 4)
    assert runs_of_one_prefix(mask) == [range(4), range(4, 6)]
    monkeypatch.setattr(blocks, "MIN_COLUMNS", 6)
    assert runs_of_one_prefix(mask) == [range(6)]


def test_layers_narrower_than_the_narrowest_product_stay_whole():
    mask = np.repeat(np.tri(4, dtype=bool).T, MIN_COLUMNS // 4, axis=1)
    assert runs_of_one_prefix(mask) == [range(MIN_COLUMNS)]


def test_masked_weights_are_zero_whatever_lies_between_rows_and_columns():
    block = Block(range(4, 6), 2, np.array([[True, True], [False, True]]))
    assert masked(jnp.ones((2, 2)), block).tolist() == [[1, 1], [0, 1]]
    between = np.asarray(masked(jnp.ones((2, 3, 5, 2)), block))
    assert (between[1, :, :, 0] == 0).all() and between.sum() == 3 * 15
    whole = masked(jnp.ones((2, 2)), block._replace(mask=None))
    assert (np.asarray(whole) == 1).all()


@pytest.mark.parametrize("name", ORDERS)
def test_a_density_has_weights_for_its_blocks_alone(name):
    order, size, hidden = ORDERS[name], group_size(name), (40, 260)
    net = structure(order, size, hidden, 0)
    held = [block.prefix * len(block.columns) for layer in net.trunk for block in layer]
    held += [6 * block.prefix * len(block.columns) for block in net.head]
    params = shapes(build(order, size, hidden, gmade.mixture_of_gaussians(2)))
    assert num_weights(params) == sum(held)
    assert num_weights(params) >= num_needed(oracle.dense(order, size, hidden, None))


@pytest.mark.parametrize("name", [name for name in ORDERS if name != "two_chains"])
def test_where_views_form_a_chain_blocks_can_be_cut_to_hold_nothing_masked(name):
    order, size, hidden = ORDERS[name], group_size(name), (40, 24)
    params = shapes(build_fine(order, size, hidden, gmade.mixture_of_gaussians(2)))
    assert num_weights(params) == num_needed(oracle.dense(order, size, hidden, None))


@pytest.mark.parametrize("ordering", TOTAL)
def test_a_total_order_holds_exactly_the_weights_that_its_masks_leave(ordering):
    order, hidden = adjacency_from_ranks(frame_ranks(ordering, 5)), (512, 1024)
    params = shapes(build(order, 128, hidden, gmade.mixture_of_gaussians(2)))
    assert num_weights(params) == num_needed(oracle.dense(order, 128, hidden, None))


@pytest.mark.parametrize("ordering", TOTAL)
def test_a_total_order_needs_no_masks(ordering):
    order = adjacency_from_ranks(frame_ranks(ordering, 5))
    net = structure(order, 128, (512, 512), 0)
    for layer in net.trunk:
        assert [block.columns for block in layer] == equal_runs(512, 128)
        assert all(block.mask is None for block in layer)
    assert [block.prefix for block in net.trunk[0]] == [128, 256, 384, 512]
    assert [block.prefix for block in net.trunk[1]] == [128, 256, 384, 512]
    assert all(block.mask is None for block in net.head)
    assert sorted(block.prefix for block in net.head) == [0, 128, 256, 384, 512]


@pytest.mark.parametrize("width", [80, 1024])
def test_weights_start_scaled_by_the_inputs_that_a_unit_has(width):
    """Units of one block, which is masked, and of several, which are not."""
    order, size = ORDERS["causal"], 32
    density = build(order, size, (width,), gmade.gaussian())
    truth = oracle.dense(order, size, (width,), None)
    w = truth.scatter(jax.jit(density.init)(KEY))["trunk"][0]["w"]
    assert np.array_equal(w != 0, truth.trunk[0])
    power = (w**2).sum(axis=0).reshape(4, -1).mean(axis=1)  # of the units of each view
    np.testing.assert_allclose(power, 2, rtol=0.2)


def test_a_frame_that_nobody_sees_has_no_weights():
    order = ORDERS["idnn"]
    single = shapes(build(order, 128, (64, 64), gmade.mixture_of_gaussians(2), targets=(2,)))
    assert [block["w"].shape for block in single["trunk"]["layers"][0]] == [(4 * 128, 64)]
    joint = shapes(build(order, 128, (64, 64), gmade.mixture_of_gaussians(2)))
    assert [block["w"].shape for block in joint["trunk"]["layers"][0]] == [(4 * 128, 64)]
    assert ["w" in block for block in joint["head"]] == [False, False, True, False, False]


def test_targets_that_need_little_leave_the_rest_out():
    """The second of five causal frames alone is a network of one frame."""
    params = shapes(build(ORDERS["causal"], 128, (64,), targets=(1,)))
    assert [block["w"].shape for block in params["trunk"]["layers"][0]] == [(128, 64)]
