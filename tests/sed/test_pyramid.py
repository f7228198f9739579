"""What each layer of the pyramid reads, and which snippets an output has heard."""

from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sed.pyramid import CONTEXTS, OverSnippets, Pyramid, every
from sed.recurrent import GRU
from sed.snippet_features import SnippetFeatures

STREAMS, SNIPPETS, TIME, MELS = 2, 4, 26, 8


def pyramid(context="middle", both=False, features=(6, 5, 4), strides=(4, 3)):
    extractor = SnippetFeatures((3, 4), 7, time_stride=2)
    return Pyramid(extractor, features, strides, context, 3, both)


def snippets(seed=0):
    return jax.random.normal(jax.random.key(seed), (STREAMS, SNIPPETS, TIME, MELS))


@cache
def built(model):
    """A model's `(variables, x) -> log odds`, compiled, and some variables."""
    shapes, rng = variables_of(model), np.random.default_rng(0)
    drawn = jax.tree.map(lambda each: jnp.float32(0.5 * rng.normal(size=each.shape)), shapes)
    return jax.jit(model.apply), drawn


def variables_of(model):
    """Shapes of its variables; to make first ones takes longer to compile than the rest."""
    return jax.eval_shape(model.init, jax.random.key(1), snippets())


def heard_by(context, both=False):
    """Which snippets (columns) change which outputs (rows) of the first stream, if they change."""
    apply, variables = built(pyramid(context, both))
    before, other = apply(variables, snippets()), snippets(seed=1)
    changed = [apply(variables, snippets().at[:, s].set(other[:, s])) for s in range(SNIPPETS)]
    return np.stack([after[0] != before[0] for after in changed], 1)


def test_every_so_many_outputs_end_with_the_last():
    x = jnp.arange(10.0).reshape(1, 10, 1)
    assert every(x, 3).ravel().tolist() == [0, 3, 6, 9]
    assert every(x, 4).ravel().tolist() == [1, 5, 9]
    assert every(x, 1).ravel().tolist() == list(range(10))
    assert every(x, 10).ravel().tolist() == [9]


@pytest.mark.parametrize("context", CONTEXTS)
def test_layers_read_fewer_and_fewer_outputs(context):
    model = pyramid(context)
    variables = variables_of(model)
    layers = partial(
        model.apply, capture_intermediates=lambda each, _: isinstance(each, GRU | OverSnippets)
    )
    log_odds, kept = jax.eval_shape(layers, variables, snippets())
    assert log_odds.shape == (STREAMS, SNIPPETS)
    inner = kept["intermediates"]
    shapes = [inner[f"GRU_{layer}"]["__call__"][0].shape for layer in range(3)]
    # 26 frames are 13 steps; of these every fourth is 4, and of those every third 2.
    assert shapes == [(8, 13, 6), (8, 4, 5), (8, 2, 4)]
    assert ("over_snippets" in inner) == (context != "none")
    if context != "none":
        assert inner["over_snippets"]["__call__"][0].shape == (STREAMS, SNIPPETS, 3)


def test_what_is_skipped_still_reaches_the_snippets_output():
    apply, variables = built(pyramid("none"))
    slope = jax.jit(jax.grad(lambda x: apply(variables, x)[0, 0]))(snippets())
    assert (np.abs(slope[0, 0]).max(-1) > 0).all()


def test_a_layer_is_not_given_what_is_skipped():
    """Of a lower layer's 13 outputs the next one gets those at 0, 4, 8 and 12, and no other."""
    layer, x = GRU(5), jax.random.normal(jax.random.key(0), (1, 13, 6))
    variables = layer.init(jax.random.key(1), every(x, 4))
    slope = jax.grad(lambda x: layer.apply(variables, every(x, 4))[0, -1].sum())(x)
    assert np.flatnonzero(np.abs(slope[0]).sum(-1)).tolist() == [0, 4, 8, 12]


def test_without_context_snippets_are_judged_one_by_one():
    assert (heard_by("none") == np.eye(SNIPPETS, dtype=bool)).all()


@pytest.mark.parametrize("context", ["top", "middle"])
def test_with_context_all_earlier_snippets_are_heard_and_no_later_one(context):
    assert (heard_by(context) == np.tri(SNIPPETS, dtype=bool)).all()


def test_both_ways_all_snippets_are_heard():
    assert heard_by("middle", both=True).all()


def test_no_stream_is_heard_in_another():
    apply, variables = built(pyramid("middle"))
    other = snippets().at[1].set(snippets(seed=1)[1])
    before, after = apply(variables, snippets()), apply(variables, other)
    assert (before[0] == after[0]).all() and (before[1] != after[1]).all()


@pytest.mark.parametrize("context", ["top", "middle"])
def test_a_stream_can_be_judged_as_it_comes(context):
    apply, variables = built(pyramid(context))
    whole = apply(variables, snippets())
    sofar = apply(variables, snippets()[:, :2])
    np.testing.assert_allclose(sofar, whole[:, :2], atol=1e-6)


def test_the_middle_variant_gives_the_top_layer_both_at_every_step():
    reads = []
    for context in ("none", "middle"):
        variables = variables_of(pyramid(context))
        reads.append(variables["params"]["GRU_2"]["GRUCell_0"]["ir"]["kernel"].shape[0])
    assert reads == [5, 5 + 3]


def test_two_layers_and_dropout():
    model = pyramid("none", features=(4, 4), strides=(3,)).clone(dropout=0.5)
    apply, variables = built(model)
    train = jax.jit(partial(model.apply, train=True))
    dropped = train(variables, snippets(), rngs={"dropout": jax.random.key(2)})
    assert dropped.shape == (STREAMS, SNIPPETS)
    assert not np.allclose(dropped, apply(variables, snippets()))
