from itertools import pairwise

import jax.numpy as jnp
import numpy as np
import pytest

from audio.windows import find_windows
from experiments.method import Method
from experiments.score import anomaly_map, score_clips

LENGTHS = [7, 5, 3, 20]  # the third is shorter than a window
OFFSETS = np.concatenate([[0], np.cumsum(LENGTHS)])
RNG = np.random.default_rng(0)
FRAMES = RNG.normal(size=(OFFSETS[-1], 4)).astype(np.float32)
IDS = np.array([0, 1, 0, 1])


def score(variables, batch):
    return variables["scale"] * batch["x"].sum((1, 2)) + 100 * batch["id"]


def explain(variables, batch):
    """The middle and the last frame are explained, by themselves."""
    return jnp.full_like(batch["x"], jnp.nan).at[:, 2].set(batch["x"][:, 2]).at[:, 4].set(0.0)


METHOD = Method(lambda key, batch: {}, lambda v, key, batch: None, score, explain)
VARIABLES = {"scale": jnp.asarray(2.0)}


@pytest.mark.parametrize("batch_size", [1, 8, 16, 1000])
@pytest.mark.parametrize(("pooling", "pool"), [("mean", np.mean), ("max", np.max)])
def test_clip_scores_pool_their_own_windows(batch_size, pooling, pool):
    windows = find_windows(FRAMES, OFFSETS, 5, 1)
    found = score_clips(METHOD, VARIABLES, windows, IDS, pooling, batch_size, "test")
    for clip, (start, stop) in enumerate(pairwise(OFFSETS)):
        own = [2 * FRAMES[i : i + 5].sum() + 100 * IDS[clip] for i in range(start, stop - 4)]
        if own:
            assert found[clip] == pytest.approx(pool(own), rel=1e-5)
        else:
            assert np.isnan(found[clip])


def test_a_map_puts_every_explanation_where_it_belongs():
    clip = FRAMES[:9]
    windows = find_windows(clip, np.array([0, 9]), 5, 1)
    found = anomaly_map(METHOD, VARIABLES, windows, np.array([0]), 2)
    assert found.shape == clip.shape
    assert np.isnan(found[:2]).all()  # no window explains them
    np.testing.assert_allclose(found[2:4], clip[2:4])  # the middle frames alone
    np.testing.assert_allclose(found[4:7], clip[4:7] / 2)  # mean of middle and last
    np.testing.assert_allclose(found[7:], 0)
