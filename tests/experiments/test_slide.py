import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments import slide
from experiments.methods import build
from experiments.slide import draw_sequences

KEY = jax.random.key(0)
X = np.asarray(jax.random.normal(KEY, (4, 5, 128)) * 5 - 30)
IDS = np.array([0, 0, 1, 1])
MOMENTS = {
    "mean": np.linspace(-50, -10, 128, dtype=np.float32),
    "std": np.full(128, 5, np.float32),
}


def method_with(tiny, name="gmade_causal", **model):
    config = tiny(name)
    config.model.update(model)
    method = build(config, 2)
    variables = method.init(KEY, {"x": X, "id": IDS, **MOMENTS})
    # Moved off the start, where the network's outputs are all but constant.
    params = jax.tree.map(
        lambda leaf: leaf + 0.1 * jax.random.normal(KEY, leaf.shape), variables["params"]
    )
    return method, {**variables, "params": params}


def drawn(method, variables, frames=(), ids=IDS, key=KEY):
    sample = jax.jit(method.sample, static_argnums=3)
    return np.asarray(sample(variables, key, {"x": X, "id": ids}, frames))


@pytest.mark.parametrize("ordering", ["causal", (1, 0, 2, 3, 4), (0, 0, 0, 0, 1)])
@pytest.mark.parametrize("frames", [(4,), (0, 3), ()])
def test_only_the_frames_that_are_named_are_drawn(tiny, ordering, frames):
    new = drawn(*method_with(tiny, ordering=ordering), frames)
    for frame in range(5):
        same = new[:, frame] == X[:, frame]
        assert not same.any() if frame in (frames or range(5)) else same.all()


def test_frames_are_drawn_given_those_of_lower_rank_whatever_their_order(tiny):
    """Frame 0 sees frame 1 alone: with the same key, only that changes what is drawn."""
    method, variables = method_with(tiny, ordering=(1, 0, 2, 3, 4))
    sample = jax.jit(lambda x: method.sample(variables, KEY, {"x": x, "id": IDS}, (0,))[:, 0])
    for frame in range(5):
        moved = jnp.asarray(X).at[:, frame].add(20.0)
        assert np.array_equal(sample(moved), sample(X)) == (frame != 1)


def test_samples_are_in_decibels(tiny):
    """Without weights a single Gaussian is the moments' own, for every frame."""
    method, variables = method_with(tiny, num_components=0)
    params = jax.tree.map(jnp.zeros_like, variables["params"])
    many = {"x": np.zeros((2000, 5, 128), np.float32), "id": np.zeros(2000, np.int32)}
    new = np.asarray(jax.jit(method.sample)({**variables, "params": params}, KEY, many))
    np.testing.assert_allclose(new.mean((0, 1)), MOMENTS["mean"], atol=0.3)
    np.testing.assert_allclose(new.std((0, 1)), MOMENTS["std"], atol=0.3)


def test_the_id_is_what_a_sample_is_drawn_for(tiny):
    method, variables = method_with(tiny, use_id=True)
    assert not np.allclose(drawn(method, variables), drawn(method, variables, ids=1 - IDS))
    without, variables = method_with(tiny)
    assert np.array_equal(drawn(without, variables), drawn(without, variables, ids=1 - IDS))


@pytest.mark.parametrize(
    "model",
    [
        {"ordering": "reversed"},
        {"ordering": "middle_last"},
        {"train_frames": (0, 1)},
        {"ordering": (0, 0, 1, 0, 1)},
    ],
)
def test_no_sampling_without_the_last_frame_given_all_before_it(tiny, model):
    config = tiny("gmade_causal")
    config.model.update(model)
    assert build(config, 2).sample is None


@pytest.mark.parametrize("train_frames", [(), (4,)])
def test_sliding_is_a_loop_over_frames(tiny, monkeypatch, train_frames):
    monkeypatch.setattr(slide, "FRAMES_A_CALL", 3)
    slide._programs.cache_clear()
    method, variables = method_with(tiny, train_frames=train_frames, use_id=True)
    told = []
    sequences = draw_sequences(method.sample, variables, KEY, X, IDS, 12, told.append)
    expected = drawn(method, variables, key=jax.random.fold_in(KEY, 0))
    one = jax.jit(method.sample, static_argnums=3)
    for t in range(5, 12):
        window = np.concatenate([expected[:, -4:], np.zeros((4, 1, 128), np.float32)], axis=1)
        batch = {"x": window, "id": IDS}
        new = one(variables, jax.random.fold_in(KEY, t), batch, (4,))
        expected = np.concatenate([expected, np.asarray(new)[:, 4:]], axis=1)
    assert sequences.shape == (4, 12, 128) and told == [8, 11, 12]
    np.testing.assert_allclose(sequences, expected, rtol=1e-5, atol=1e-3)
    kept = (sequences[:, :5] == X).all((0, 2))
    assert kept.tolist() == [bool(train_frames)] * 4 + [False]


def test_made_slides_bin_by_bin(tiny):
    method, variables = method_with(tiny, "made")
    sequences = draw_sequences(method.sample, variables, KEY, X[:1], IDS[:1], 6)
    assert sequences.shape == (1, 6, 128) and np.isfinite(sequences).all()
