"""Scores from embeddings: how far an image lies from those of its own id's train clips.

Nothing here learns by gradient: `fit_*` on train embeddings, then a distance; higher is stranger.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

BLOCK = 512  # queries whose distances to all train embeddings are in memory at a time


class Gaussian(NamedTuple):
    """A normal distribution.

    Attributes:
        mean: its mean.
        whitening: a square root of the inverse covariance: distances are lengths after it.
    """

    mean: Float[np.ndarray, "embedding"]
    whitening: Float[np.ndarray, "embedding embedding"]


def fit_gaussians(
    embeddings: Float[np.ndarray, "many embedding"], ids: Int[np.ndarray, "many"]
) -> dict[int, Gaussian]:
    """A Gaussian for each id, its covariance shrunk."""
    return {int(each): _gaussian(embeddings[ids == each]) for each in np.unique(ids)}


def mahalanobis(
    gaussians: dict[int, Gaussian],
    embeddings: Float[np.ndarray, "many embedding"],
    ids: Int[np.ndarray, "many"],
) -> Float[np.ndarray, "many"]:
    """The Mahalanobis distance of each embedding to its own id's Gaussian."""
    distances = np.zeros(len(embeddings))
    for each in np.unique(ids):
        mean, whitening = gaussians[int(each)]
        own = ids == each
        distances[own] = np.linalg.norm((embeddings[own] - mean) @ whitening, axis=1)
    return distances


def ledoit_wolf(
    x: Float[np.ndarray, "many embedding"],
) -> Float[np.ndarray, "embedding embedding"]:
    """The covariance, shrunk towards a multiple of the identity by as much as is best.

    `(1 - a) S + a mu I` with `mu` the mean variance and `a` the estimate of what makes the expected
    squared error least (Ledoit and Wolf, "A well-conditioned estimator for large-dimensional
    covariance matrices", 2004). Invertible however few the examples.
    """
    many, dims = x.shape
    centred = np.asarray(x, np.float64) - x.mean(axis=0, dtype=np.float64)
    sample = centred.T @ centred / many
    mu = np.trace(sample) / dims
    # Squared distances, per dimension: from the sample to the target, and to the truth.
    spread = np.square(sample).sum() / dims - mu**2
    lengths = np.square(centred).sum(axis=1)
    noise = (np.square(lengths).mean() - np.square(sample).sum()) / (dims * many)
    amount = min(noise / spread, 1.0) if spread > 0 else 1.0
    return (1 - amount) * sample + amount * mu * np.eye(dims)


def _gaussian(x: np.ndarray) -> Gaussian:
    variances, axes = np.linalg.eigh(ledoit_wolf(x))
    smallest = np.finfo(np.float64).tiny + variances[-1] * np.finfo(np.float64).eps
    return Gaussian(
        x.mean(axis=0, dtype=np.float64), axes / np.sqrt(np.maximum(variances, smallest))
    )


def fit_neighbours(
    embeddings: Float[np.ndarray, "many embedding"], ids: Int[np.ndarray, "many"]
) -> dict[int, Float[np.ndarray, "own embedding"]]:
    """The train embeddings of each id."""
    return {int(each): np.asarray(embeddings[ids == each], np.float64) for each in np.unique(ids)}


def neighbour_distance(
    neighbours: dict[int, Float[np.ndarray, "own embedding"]],
    embeddings: Float[np.ndarray, "many embedding"],
    ids: Int[np.ndarray, "many"],
    k: int = 2,
) -> Float[np.ndarray, "many"]:
    """The mean Euclidean distance to the `k` nearest train embeddings of the own id.

    A train embedding is its own nearest neighbour: to score those as well, take `k` above one.
    """
    distances = np.zeros(len(embeddings))
    for each in np.unique(ids):
        (own,) = np.nonzero(ids == each)
        for block in np.array_split(own, -(-len(own) // BLOCK)):
            distances[block] = _nearest(embeddings[block], neighbours[int(each)], k)
    return distances


def _nearest(queries: np.ndarray, train: np.ndarray, k: int) -> np.ndarray:
    k = min(k, len(train))
    queries = np.asarray(queries, np.float64)
    squares = np.square(queries).sum(1)[:, None] - 2 * queries @ train.T + np.square(train).sum(1)
    nearest = np.partition(np.maximum(squares, 0), k - 1, axis=1)[:, :k]
    return np.sqrt(nearest).mean(axis=1)
