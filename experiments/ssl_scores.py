"""The scores of a classifier: what it says of an image's id, or how far its embedding is off."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Array

import ssl_cls
from experiments.errors import ConfigError

OF_LOGITS = ("log_softmax", "softmax", "log_odds", "cosine")
OF_EMBEDDINGS = ("mahalanobis", "neighbours")
SCORES = (*OF_LOGITS, *OF_EMBEDDINGS)


class Scoring(NamedTuple):
    """A score, and what it rests on.

    Attributes:
        score: `(variables, outputs, ids) -> (batch,)`.
        fit: `(embeddings, ids) -> more variables`, from those of the train windows; None where a
            score needs no more than the outputs.
    """

    score: Callable[[dict[str, Any], ssl_cls.Outputs, Array], Array]
    fit: Callable[[np.ndarray, np.ndarray], dict[str, Any]] | None = None


def scoring(settings: dict[str, Any], num_ids: int) -> Scoring:
    """The score of the config's `model` section."""
    if settings["score"] == "mahalanobis":
        return Scoring(
            lambda variables, outputs, ids: ssl_cls.mahalanobis(
                variables["gaussians"], outputs.embedding, ids
            ),
            lambda embeddings, ids: {"gaussians": ssl_cls.fit_gaussians(embeddings, ids, num_ids)},
        )
    if settings["score"] == "neighbours":
        k = settings["num_neighbours"]
        return Scoring(
            lambda variables, outputs, ids: ssl_cls.neighbour_distance(
                variables["neighbours"], outputs.embedding, ids, k
            ),
            lambda embeddings, ids: {"neighbours": ssl_cls.fit_neighbours(embeddings, ids)},
        )
    of_logits = {
        "log_softmax": ssl_cls.negative_log_softmax,
        "softmax": ssl_cls.negative_softmax,
        "log_odds": ssl_cls.negative_log_odds,
        "cosine": partial(ssl_cls.negative_cosine, scale=settings["arcface_scale"]),
    }[settings["score"]]
    return Scoring(lambda variables, outputs, ids: of_logits(outputs.logits, ids))


def check(settings: dict[str, Any]) -> None:
    """Checks what the score is made of.

    Raises:
        ConfigError: there is no such score, or it cannot be had.
    """
    if settings["score"] not in SCORES:
        raise ConfigError(
            f"model.score={settings['score']!r} is not known: use {', '.join(SCORES)}"
        )
    if settings["score"] == "cosine" and settings["head"] != "arcface":
        raise ConfigError(
            "model.score='cosine' is to a class's centre: it needs model.head=arcface"
        )
    if settings["num_neighbours"] < 1:
        raise ConfigError(f"model.num_neighbours={settings['num_neighbours']} must be 1 or more")
