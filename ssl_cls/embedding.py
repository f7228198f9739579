"""Scores from embeddings: how far an image lies from those of its own id's train clips.

Nothing here learns by gradient. `fit_*` looks once at all train embeddings, on the host and in
float64; what it finds is arrays, and a distance to them is a function like any other, compiled and
differentiated; higher is stranger.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int

BLOCK = 1024  # train embeddings that a batch is compared with at a time
# Distances are small differences of large numbers, which an accelerator's default would round off.
EXACT = lax.Precision.HIGHEST


class Gaussians(NamedTuple):
    """A normal distribution for each id.

    Attributes:
        mean: their means.
        whitening: square roots of the inverse covariances: distances are lengths after them.
    """

    mean: Float[Array | np.ndarray, "ids embedding"]
    whitening: Float[Array | np.ndarray, "ids embedding embedding"]


class Neighbours(NamedTuple):
    """All train embeddings, sorted by id and cut into blocks.

    Attributes:
        embedding: the embeddings, the last block filled up with zeros.
        owner: the id of each; -1 of what fills up.
    """

    embedding: Float[Array | np.ndarray, "blocks block embedding"]
    owner: Int[Array | np.ndarray, "blocks block"]


def fit_gaussians(
    embeddings: Float[np.ndarray, "many embedding"], ids: Int[np.ndarray, "many"], num_ids: int
) -> Gaussians:
    """A Gaussian for each id, its covariance shrunk.

    Raises:
        ValueError: an id has no embeddings.
    """
    if missing := sorted(set(range(num_ids)) - set(ids.tolist())):
        raise ValueError(f"no train embeddings of id {missing}")
    fitted = [_gaussian(embeddings[ids == each]) for each in range(num_ids)]
    mean, whitening = (np.stack(each).astype(np.float32) for each in zip(*fitted, strict=True))
    return Gaussians(mean, whitening)


def mahalanobis(
    gaussians: Gaussians, embeddings: Float[Array, "batch embedding"], ids: Int[Array, "batch"]
) -> Float[Array, "batch"]:
    """The Mahalanobis distance of each embedding to its own id's Gaussian."""
    # To every id's, one after another: a whitening matrix for every example would not fit.
    to_each = lax.map(lambda gaussian: _squared_length(embeddings, *gaussian), gaussians)
    return _root(jnp.take_along_axis(to_each, ids[None], axis=0)[0])


def fit_neighbours(
    embeddings: Float[np.ndarray, "many embedding"], ids: Int[np.ndarray, "many"]
) -> Neighbours:
    """The train embeddings, in blocks."""
    order = np.argsort(ids, kind="stable")
    size = -(-len(ids) // BLOCK) * BLOCK
    train = np.zeros((size, embeddings.shape[1]), np.float32)
    owner = np.full(size, -1, np.int32)
    train[: len(ids)], owner[: len(ids)] = embeddings[order], ids[order]
    return Neighbours(train.reshape(-1, BLOCK, train.shape[1]), owner.reshape(-1, BLOCK))


def neighbour_distance(
    neighbours: Neighbours,
    embeddings: Float[Array, "batch embedding"],
    ids: Int[Array, "batch"],
    k: int = 2,
) -> Float[Array, "batch"]:
    """The mean Euclidean distance to the `k` nearest train embeddings of the own id.

    An embedding that is among them is its own nearest, at distance zero, and windows of one clip
    overlap: to score train clips, fit to others. Where there are fewer than `k`, the mean is over
    those.
    """
    squares, nearest = _nearest(neighbours, lax.stop_gradient(embeddings), ids, k)
    train = neighbours.embedding.reshape(-1, embeddings.shape[1])
    # Once more from the difference itself, which is exact where two are close.
    distances = _root(jnp.square(embeddings[:, None] - train[nearest]).sum(-1))
    known = jnp.isfinite(squares)
    return jnp.where(known, distances, 0.0).sum(1) / known.astype(jnp.float32).sum(1)


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


def _gaussian(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and whitening, which is the identity if all embeddings are the same."""
    variances, axes = np.linalg.eigh(ledoit_wolf(x))
    smallest = variances[-1] * np.finfo(np.float64).eps or 1.0
    return x.mean(axis=0, dtype=np.float64), axes / np.sqrt(np.maximum(variances, smallest))


def _squared_length(embeddings: Array, mean: Array, whitening: Array) -> Array:
    white = jnp.matmul(embeddings - mean[None], whitening, precision=EXACT)
    return jnp.square(white).sum(1)


def _nearest(neighbours: Neighbours, embeddings: Array, ids: Array, k: int) -> tuple[Array, Array]:
    """Squared distances to the `k` nearest of the own id, (batch, k), and which they are.

    They are infinite where there are none.
    """

    def look(best: tuple[Array, Array], block: tuple[Any, Any, Array]) -> tuple[Any, None]:
        train, owner, first = block
        own = ids[:, None] == owner[None]

        def closer(best: tuple[Array, Array]) -> tuple[Array, Array]:
            squares = jnp.where(own, _squares(embeddings, train), jnp.inf)
            which = jnp.broadcast_to(first + jnp.arange(len(owner))[None], squares.shape)
            squares = jnp.concatenate([best[0], squares], axis=1)
            which = jnp.concatenate([best[1], which], axis=1)
            negative, at = lax.top_k(-squares, k)
            return -negative, jnp.take_along_axis(which, at, axis=1)

        # Clips come id by id, so most batches have nothing to look for in most blocks.
        return lax.cond(own.any(), closer, lambda same: same, best), None

    blocks, size = neighbours.owner.shape
    none = jnp.full((len(ids), k), jnp.inf), jnp.zeros((len(ids), k), jnp.int32)
    starts = size * jnp.arange(blocks)
    return lax.scan(look, none, (neighbours.embedding, neighbours.owner, starts))[0]


def _squares(queries: Array, train: Array) -> Array:
    """Squared distances of all queries to all train embeddings, by one matrix product."""
    products = jnp.matmul(queries, train.T, precision=EXACT)
    lengths = jnp.square(queries).sum(1)[:, None] + jnp.square(train).sum(1)[None]
    return jnp.maximum(lengths - 2 * products, 0.0)


def _root(squares: Array) -> Array:
    """The square root, whose slope at zero is taken to be zero rather than infinite."""
    positive = squares > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, squares, 1.0)), 0.0)
