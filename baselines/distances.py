"""How far an embedding is from those of the train clips of its own id."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int
from sklearn.covariance import LedoitWolf

Fitted = dict[str, Any]


def fit_mahalanobis(
    embeddings: Float[np.ndarray, "many dims"], ids: Int[np.ndarray, "many"], num_ids: int
) -> Fitted:
    """A Gaussian for each id, its covariance shrunk by as much as Ledoit and Wolf (2004) say.

    Returns:
        `mean` (ids, dims), and `whiten` (ids, dims, dims), by which a difference is multiplied to
        have the identity for its covariance.
    """
    whiten = [_whiten(embeddings[ids == id_].astype(np.float64)) for id_ in range(num_ids)]
    return {**fit_means(embeddings, ids, num_ids), "whiten": np.stack(whiten).astype(np.float32)}


def _whiten(embeddings: Float[np.ndarray, "many dims"]) -> Float[np.ndarray, "dims dims"]:
    """A factor of the precision; the identity where a single point says nothing of variance."""
    if not np.ptp(embeddings, axis=0).any():
        return np.eye(embeddings.shape[1])
    covariance: np.ndarray = LedoitWolf(store_precision=False).fit(embeddings).covariance_
    return np.linalg.inv(np.linalg.cholesky(covariance)).T


def fit_means(
    embeddings: Float[np.ndarray, "many dims"], ids: Int[np.ndarray, "many"], num_ids: int
) -> Fitted:
    """`mean` (ids, dims) of each id's embeddings."""
    means = [embeddings[ids == id_].mean(0, dtype=np.float64) for id_ in range(num_ids)]
    return {"mean": np.stack(means).astype(np.float32)}


def mahalanobis(
    fitted: Fitted, embeddings: Float[Array, "batch dims"], ids: Int[Array, " batch"]
) -> Float[Array, " batch"]:
    """Mahalanobis distance to the id's Gaussian."""
    # To all ids' Gaussians: a factor for each embedding would be very many large matrices.
    off = embeddings[:, None] - jnp.asarray(fitted["mean"])[None]
    whitened = jnp.einsum("bki,kij->bkj", off, jnp.asarray(fitted["whiten"]))
    own = jnp.take_along_axis(whitened, ids[:, None, None], axis=1)[:, 0]
    return jnp.linalg.norm(own, axis=-1)


def euclidean(
    fitted: Fitted, embeddings: Float[Array, "batch dims"], ids: Int[Array, " batch"]
) -> Float[Array, " batch"]:
    """Distance to the id's mean."""
    return jnp.linalg.norm(embeddings - jnp.asarray(fitted["mean"])[ids], axis=-1)


def cosine(
    fitted: Fitted, embeddings: Float[Array, "batch dims"], ids: Int[Array, " batch"]
) -> Float[Array, " batch"]:
    """One minus the cosine of the angle to the id's mean."""
    mean = jnp.asarray(fitted["mean"])[ids]
    norms = jnp.linalg.norm(embeddings, axis=-1) * jnp.linalg.norm(mean, axis=-1)
    return 1 - (embeddings * mean).sum(-1) / jnp.maximum(norms, 1e-12)
