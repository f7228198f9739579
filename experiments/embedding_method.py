"""Embeddings of others' networks as a detector: a clip is as strange as it is far from its id."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from baselines import distances
from experiments.errors import ConfigError
from experiments.method import Method

DISTANCES = {
    "mahalanobis": (distances.fit_mahalanobis, distances.mahalanobis),
    "euclidean": (distances.fit_means, distances.euclidean),
    "cosine": (distances.fit_means, distances.cosine),
}


def build(settings: dict[str, Any], num_ids: int) -> Method:
    """Builds the distance as a method: nothing is learned by gradient.

    A window is one embedding (`experiments.embedders`), in place of a frame.

    Args:
        settings: the config's `model` section; `score` is a distance.
        num_ids: ids of the machine.

    Raises:
        ConfigError: no such distance.
    """
    name = settings["score"]
    if name not in DISTANCES:
        raise ConfigError(f"model.score={name!r} is not known: use {', '.join(DISTANCES)}")
    fit, distance = DISTANCES[name]

    def init(key: Array, batch: dict[str, Array]) -> dict[str, Any]:
        return {"params": {}}

    def embed(variables: dict[str, Any], batch: dict[str, Array]) -> Float[Array, "batch dims"]:
        return batch["x"][:, 0]

    def score(variables: dict[str, Any], batch: dict[str, Array]) -> Float[Array, " batch"]:
        return distance(variables["fitted"], embed(variables, batch), batch["id"])

    def explain(variables: dict[str, Any], batch: dict[str, Array]) -> Array:
        return jnp.full(batch["x"].shape, jnp.nan)

    def fit_all(embeddings: np.ndarray, ids: np.ndarray) -> dict[str, Any]:
        return {"fitted": fit(embeddings, ids, num_ids)}

    return Method(init, None, score, explain, embed, fit_all, unit="distance")
