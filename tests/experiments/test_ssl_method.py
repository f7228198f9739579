from functools import partial

import jax
import numpy as np
import pytest

from experiments.errors import ConfigError
from experiments.methods import build

# Programs that run once are not worth optimising.
quick_jit = partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})
KEY = jax.random.key(0)
RNG = np.random.default_rng(0)
X = RNG.normal(-30, 5, (6, 16, 128)).astype(np.float32)
IDS = np.array([0, 1, 0, 1, 0, 1], np.int32)
BATCH = {"x": X, "id": IDS}
MOMENTS = {"mean": np.full(128, -30, np.float32), "std": np.full(128, 5, np.float32)}


def method_with(tiny, num_ids=2, **model):
    config = tiny("ssl_small")
    config.model.update(model)
    method = build(config, num_ids)
    return method, quick_jit(method.init)(KEY, {**BATCH, **MOMENTS})


def others(method, variables):
    """Embeddings of other images of both ids, and their ids."""
    x = np.random.default_rng(1).normal(-30, 5, X.shape).astype(np.float32)
    return np.asarray(quick_jit(method.embed)(variables, {"x": x, "id": IDS})), IDS


def score(method, variables):
    return np.asarray(quick_jit(method.score)(variables, BATCH))


def test_a_step_moves_the_running_statistics(tiny):
    method, variables = method_with(tiny)
    loss, (after, metrics) = quick_jit(method.loss)(variables, KEY, BATCH)
    assert np.isfinite(loss) and 0 <= metrics["accuracy"] <= 1
    before = jax.tree.leaves(variables["batch_stats"])
    moved = [
        not np.array_equal(a, b)
        for a, b in zip(before, jax.tree.leaves(after["batch_stats"]), strict=True)
    ]
    assert all(moved)
    assert after["params"] is not None


@pytest.mark.parametrize(
    "model",
    [
        dict(head="arcface", score="cosine", mixture="db", dropout_rate=0.3),
        dict(num_warps=2, speeds=(0.9, 1.1), score="log_odds", pool=2),
    ],
    ids=str,
)
def test_every_setting_trains_and_scores(tiny, model):
    method, variables = method_with(tiny, **model)
    assert np.isfinite(quick_jit(method.loss)(variables, KEY, BATCH)[0])
    assert np.isfinite(score(method, variables)).all()


def test_scores_are_of_the_clips_own_id(tiny):
    method, variables = method_with(tiny, score="softmax")
    scores = quick_jit(method.score)
    both = scores(variables, BATCH) + scores(variables, {"x": X, "id": 1 - IDS})
    np.testing.assert_allclose(both, -1, rtol=1e-4)


def test_every_speed_and_every_warp_makes_a_class_of_every_id(tiny):
    _, variables = method_with(tiny, num_warps=3, speeds=(0.9, 1.1))
    assert variables["warps"].shape[0] == 3
    head = jax.tree.leaves(variables["params"]["head"])
    assert {leaf.shape[-1] for leaf in head} == {2 * (1 + 2) * (1 + 3)}


@pytest.mark.parametrize("score_name", ["log_softmax", "mahalanobis", "neighbours"])
def test_what_explains_a_score_is_its_slope(tiny, score_name):
    """Moving one bin a little moves the score by what the bin's share says."""
    method, variables = method_with(tiny, score=score_name)
    if method.fit:
        variables |= method.fit(*others(method, variables))
    shares = np.asarray(quick_jit(method.explain)(variables, BATCH))
    assert shares.shape == X.shape
    at = np.unravel_index(np.abs(shares[0]).argmax(), X.shape[1:])
    deviation = X[0][at] - MOMENTS["mean"][at[1]]
    moved = X.copy()
    moved[0][at] += 0.01 * deviation
    scores = quick_jit(method.score)
    change = scores(variables, {"x": moved, "id": IDS}) - scores(variables, BATCH)
    assert float(change[0]) == pytest.approx(0.01 * shares[0][at], rel=0.2, abs=1e-5)


@pytest.mark.parametrize(
    ("num_ids", "model", "said"),
    [
        (1, {}, "one id only"),
        (2, dict(network="vgg"), r"model\.network='vgg'"),
        (2, dict(score="cosine"), "arcface"),
        (2, dict(score="neighbours", num_neighbours=0), "num_neighbours"),
        (2, dict(mixture="sum"), r"model\.mixture='sum'"),
        (2, dict(dropout_rate=1.0), "dropout_rate"),
        (2, dict(width=0.0), "width"),
        (2, dict(pool=3), r"model\.pool=3 must divide window\.num_frames=16"),
    ],
)
def test_a_wrong_setting_gets_one_line(tiny, num_ids, model, said):
    with pytest.raises(ConfigError, match=said):
        method_with(tiny, num_ids, **model)
