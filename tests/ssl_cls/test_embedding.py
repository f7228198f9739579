import jax
import numpy as np
import pytest
from sklearn.covariance import LedoitWolf
from sklearn.neighbors import NearestNeighbors

from ssl_cls import embedding as embeddings

DIMS = 12


def draw(many, seed):
    """Embeddings of two ids that differ in mean and covariance."""
    rng = np.random.default_rng(seed)
    ids = np.arange(many, dtype=np.int32) % 2
    spread = np.random.default_rng(7).normal(size=(2, DIMS, DIMS))
    noise = rng.normal(size=(many, DIMS))
    x = np.einsum("nd,nde->ne", noise, spread[ids]) + 3 * ids[:, None]
    return x.astype(np.float32), ids


to_gaussians = jax.jit(embeddings.mahalanobis)
to_neighbours = jax.jit(embeddings.neighbour_distance, static_argnums=3)


def mahalanobis(train, test):
    return to_gaussians(embeddings.fit_gaussians(*train, 2), *test)


def neighbours(train, test, k=2):
    return to_neighbours(embeddings.fit_neighbours(*train), *test, k)


TRAIN, TEST = draw(60, 0), draw(40, 1)
SCORES = pytest.mark.parametrize("score", [mahalanobis, neighbours])


@pytest.mark.parametrize("many", [5, 40, 2000])
def test_the_shrunk_covariance_is_sklearns(many):
    x = draw(many, 3)[0].astype(np.float64)
    theirs = LedoitWolf().fit(x).covariance_
    np.testing.assert_allclose(embeddings.ledoit_wolf(x), theirs, rtol=1e-8, atol=1e-10)


def test_mahalanobis_is_sklearns_of_the_own_id():
    ours = mahalanobis(TRAIN, TEST)
    for each in (0, 1):
        x, y = (of[0][of[1] == each].astype(np.float64) for of in (TRAIN, TEST))
        theirs = np.sqrt(LedoitWolf().fit(x).mahalanobis(y))
        np.testing.assert_allclose(ours[TEST[1] == each], theirs, rtol=1e-4)


def test_dead_units_and_few_examples_have_distances():
    x, ids = TRAIN[0][:6].copy(), TRAIN[1][:6]
    x[:, 3] = 0
    assert np.isfinite(mahalanobis((x, ids), (x, ids))).all()
    same = np.full((4, DIMS), 0.1, np.float32), ids[:4]
    np.testing.assert_array_equal(mahalanobis(same, same), 0)
    assert np.isfinite(mahalanobis(same, TEST)).all()


def test_an_id_without_embeddings_is_an_error():
    with pytest.raises(ValueError, match=r"id \[1\]"):
        embeddings.fit_gaussians(TRAIN[0][::2], TRAIN[1][::2], 2)


@pytest.mark.parametrize(("k", "block"), [(1, 1024), (3, 7)])
def test_neighbours_are_sklearns_of_the_own_id(k, block, monkeypatch):
    monkeypatch.setattr(embeddings, "BLOCK", block)
    ours = neighbours(TRAIN, TEST, k)
    for each in (0, 1):
        x, y = (of[0][of[1] == each] for of in (TRAIN, TEST))
        theirs = NearestNeighbors(n_neighbors=k).fit(x).kneighbors(y)[0].mean(1)
        np.testing.assert_allclose(ours[TEST[1] == each], theirs, rtol=1e-4)


def test_a_train_embedding_is_its_own_nearest_neighbour():
    np.testing.assert_array_equal(neighbours(TRAIN, TRAIN, k=1), 0)
    assert (np.asarray(neighbours(TRAIN, TRAIN, k=2)) > 0).all()


def test_more_neighbours_than_there_are():
    few = TRAIN[0][:4], TRAIN[1][:4]
    np.testing.assert_allclose(neighbours(few, TEST, k=9), neighbours(few, TEST, k=2), rtol=1e-6)


@SCORES
def test_the_farther_the_stranger(score):
    normal = score(TRAIN, TEST)
    assert (score(TRAIN, (TEST[0] + 20, TEST[1])) > normal).all()
    assert score(TRAIN, (TEST[0], 1 - TEST[1])).mean() > normal.mean()


@SCORES
def test_slopes_are_finite_even_at_distance_zero(score):
    """Moved along its slope, an embedding's score rises; the train embeddings have slopes too."""
    slope = jax.grad(lambda x: score(TRAIN, (x, TEST[1])).sum())(TEST[0])
    assert (score(TRAIN, (TEST[0] + 1e-2 * slope, TEST[1])) > score(TRAIN, TEST)).all()
    twins = np.repeat(TRAIN[0][:2], 3, axis=0), np.repeat(TRAIN[1][:2], 3)
    slope = jax.grad(lambda x: score(twins, (x, twins[1])).sum())(twins[0])
    assert np.isfinite(slope).all()
