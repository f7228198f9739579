import numpy as np
import pytest
from sklearn.covariance import LedoitWolf
from sklearn.neighbors import NearestNeighbors

from ssl_cls import embedding as embeddings

DIMS = 12


def draw(many, seed):
    """Embeddings of two ids that differ in mean and covariance."""
    rng = np.random.default_rng(seed)
    ids = np.arange(many) % 2
    spread = np.random.default_rng(7).normal(size=(2, DIMS, DIMS))
    noise = rng.normal(size=(many, DIMS))
    x = np.einsum("nd,nde->ne", noise, spread[ids]) + 3 * ids[:, None]
    return x.astype(np.float32), ids


TRAIN, TEST = draw(60, 0), draw(40, 1)


@pytest.mark.parametrize("many", [5, 40, 2000])
def test_the_shrunk_covariance_is_sklearns(many):
    x = draw(many, 3)[0].astype(np.float64)
    theirs = LedoitWolf().fit(x).covariance_
    np.testing.assert_allclose(embeddings.ledoit_wolf(x), theirs, rtol=1e-8, atol=1e-10)


def test_mahalanobis_is_sklearns_of_the_own_id():
    ours = embeddings.mahalanobis(embeddings.fit_gaussians(*TRAIN), *TEST)
    for each in (0, 1):
        x, y = (of[0][of[1] == each].astype(np.float64) for of in (TRAIN, TEST))
        theirs = np.sqrt(LedoitWolf().fit(x).mahalanobis(y))
        np.testing.assert_allclose(ours[TEST[1] == each], theirs, rtol=1e-5)


def test_dead_units_and_few_examples_have_distances():
    x, ids = TRAIN[0][:6].copy(), TRAIN[1][:6]
    x[:, 3] = 0
    distances = embeddings.mahalanobis(embeddings.fit_gaussians(x, ids), x, ids)
    assert np.isfinite(distances).all()
    same = np.ones((4, DIMS), np.float32)
    distances = embeddings.mahalanobis(embeddings.fit_gaussians(same, ids[:4]), same, ids[:4])
    np.testing.assert_array_equal(distances, 0)


@pytest.mark.parametrize("k", [1, 3])
def test_neighbours_are_sklearns_of_the_own_id(k, monkeypatch):
    monkeypatch.setattr(embeddings, "BLOCK", 7)
    ours = embeddings.neighbour_distance(embeddings.fit_neighbours(*TRAIN), *TEST, k=k)
    for each in (0, 1):
        x, y = (of[0][of[1] == each] for of in (TRAIN, TEST))
        theirs = NearestNeighbors(n_neighbors=k).fit(x).kneighbors(y)[0].mean(1)
        np.testing.assert_allclose(ours[TEST[1] == each], theirs, rtol=1e-4)


def test_more_neighbours_than_there_are():
    few = embeddings.fit_neighbours(TRAIN[0][:4], TRAIN[1][:4])
    all_ = embeddings.neighbour_distance(few, *TEST, k=2)
    np.testing.assert_array_equal(embeddings.neighbour_distance(few, *TEST, k=9), all_)


@pytest.mark.parametrize("score", ["mahalanobis", "neighbours"])
def test_the_farther_the_stranger(score):
    fit, distance = {
        "mahalanobis": (embeddings.fit_gaussians, embeddings.mahalanobis),
        "neighbours": (embeddings.fit_neighbours, embeddings.neighbour_distance),
    }[score]
    fitted = fit(*TRAIN)
    normal = distance(fitted, *TEST)
    far = distance(fitted, TEST[0] + 20, TEST[1])
    assert (far > normal).all()
    swapped = distance(fitted, TEST[0], 1 - TEST[1])
    assert swapped.mean() > normal.mean()
