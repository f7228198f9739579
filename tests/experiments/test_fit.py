import socket
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ssl_cls
from audio.clips import Clip
from audio.logmels import assemble
from audio.windows import find_windows
from experiments.costs import Stopwatch
from experiments.data import Split
from experiments.fit import fit
from experiments.judge import score_halves
from experiments.method import Method
from experiments.score import score_clips

LENGTHS = np.array([9, 7, 20, 5])
IDS = np.array([0, 1, 1, 0])


def embed(variables, batch):
    return batch["x"].mean(1) + variables["offset"]


def fit_means(embeddings, ids):
    """The mean embedding of each id, and how many there were."""
    means = np.stack([embeddings[ids == each].mean(0) for each in (0, 1)])
    return {"means": means, "count": np.bincount(ids)}


def score(variables, batch):
    return jnp.square(embed(variables, batch) - variables["means"][batch["id"]]).sum(1)


METHOD = Method(lambda key, batch: {}, lambda v, key, batch: None, score, score, embed, fit_means)
VARIABLES = {"offset": jnp.asarray(1.0)}


def windows_of(clips):
    """The windows of some of four clips, every frame of which is the clip's number."""
    frames = np.repeat(np.asarray(clips, np.float32), LENGTHS[clips])[:, None] * np.ones(3)
    offsets = np.concatenate([[0], np.cumsum(LENGTHS[clips])])
    return find_windows(frames.astype(np.float32), offsets, 5, 1)


def fitted(clips, batch_size=8):
    return fit(METHOD, VARIABLES, windows_of(clips), IDS[clips], batch_size, "test")


@pytest.mark.parametrize("batch_size", [8, 1000])
def test_scores_rest_on_what_was_fitted_to_all_windows(batch_size):
    variables = fitted([0, 1, 2, 3], batch_size)
    assert variables["offset"] == 1
    np.testing.assert_array_equal(variables["count"], [5 + 1, 3 + 16])
    means = [(5 * 0 + 1 * 3) / 6 + 1, (3 * 1 + 16 * 2) / 19 + 1]
    np.testing.assert_allclose(variables["means"][:, 0], means, rtol=1e-6)
    scores = score_clips(METHOD, variables, windows_of([3]), IDS[[3]], "mean", batch_size, "test")
    assert scores[0] == pytest.approx(3 * (4 - means[0]) ** 2, rel=1e-5)


@pytest.mark.parametrize("clips_an_id", [1, 2, 5])
def test_a_train_clip_is_not_scored_by_what_was_fitted_to_itself(tiny, clips_an_id):
    """The score is whether a clip was among those fitted to."""
    ids = np.repeat([0, 1], clips_an_id)
    clips = [Clip("pump", str(id_), "train", 0, f"{id_}_{i}") for i, id_ in enumerate(ids)]
    frames = [np.full((6, 128), i, np.float32) for i in range(len(clips))]
    train = Split(tuple(clips), assemble(clips, frames), np.arange(len(clips)), ids)

    def is_known(variables, batch):
        mine = batch["x"].mean((1, 2))[:, None]
        return (mine == variables["known"][None]).any(1).astype(np.float32)

    def know(embeddings, ids):
        assert set(ids) == {0, 1}
        return {"known": embeddings[:, 0]}

    method = Method(*METHOD[:2], is_known, is_known, lambda v, batch: batch["x"].mean(1), know)
    rows = score_halves(method, {}, train, tiny(), "test", Stopwatch())
    assert [row.name for row in rows] == [clip.name for clip in clips]
    alone = clips_an_id == 1
    assert [row.score for row in rows] == [float(alone)] * len(clips)


def test_a_method_that_fits_nothing_is_left_alone():
    method = Method(*METHOD[:4])
    assert fit(method, VARIABLES, windows_of([0]), IDS[:1], 8, "test") is VARIABLES


def test_distances_divided_among_eight_devices_are_those_of_one():
    """Of random frames: every device looks for the neighbours of its share of the batch."""
    rng = np.random.default_rng(0)
    windows = find_windows(rng.normal(size=(90, 4)).astype(np.float32), 30 * np.arange(4), 5, 1)
    ids = np.array([0, 1, 0])

    def distance(variables, batch):
        found = embed(variables, batch)
        near = ssl_cls.neighbour_distance(variables["neighbours"], found, batch["id"])
        return near + ssl_cls.mahalanobis(variables["gaussians"], found, batch["id"])

    def fit_both(embeddings, ids):
        gaussians = ssl_cls.fit_gaussians(embeddings, ids, 2)
        return {"neighbours": ssl_cls.fit_neighbours(embeddings, ids), "gaussians": gaussians}

    method = METHOD._replace(score=distance, fit=fit_both)
    variables = fit(method, VARIABLES, windows, ids, 32, "test")
    assert jax.local_device_count() == 8
    found = score_clips(method, variables, windows, ids, "mean", 32, "test")
    batch = {"x": windows.gather(np.arange(len(windows))), "id": ids[windows.clip]}
    whole = np.asarray(distance(variables, batch))
    np.testing.assert_allclose(found, whole.reshape(3, -1).mean(1), rtol=1e-5)


def test_two_processes_fit_what_one_does():
    """Each is given a share of its own size, and knows what all have."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = (
        "import sys, jax; i = int(sys.argv[1]);"
        f"jax.distributed.initialize('127.0.0.1:{port}', 2, i);"
        "from tests.experiments.test_fit import fitted;"
        "found = fitted([[0], [1, 2, 3]][i]); print(found['means'].tolist(), found['count'])"
    )
    root = Path(__file__).parents[2]
    pair = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(i)], cwd=root, stdout=subprocess.PIPE, text=True
        )
        for i in range(2)
    ]
    said = [process.communicate(timeout=120)[0].strip().splitlines()[-1] for process in pair]
    one = fitted([0, 1, 2, 3])
    assert said[0] == said[1] == f"{one['means'].tolist()} {one['count']}"
