"""A classifier of machine ids as a detector: a clip is as strange as it is unlike its own id."""

from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

import ssl_cls
from experiments import ssl_pictures, ssl_scores
from experiments.attribution import first_order
from experiments.errors import ConfigError
from experiments.method import Method
from ssl_cls.augment import MIXTURES

NETWORKS = ("mobilenet_v2", "resnet50")
HEADS = ("softmax", "arcface")


def build(settings: dict[str, Any], num_ids: int) -> Method:
    """Builds the classifier as a method.

    A batch's windows are images, standardised per mel bin; in training they are augmented first.

    Args:
        settings: the config's `model`, `window` and `logmel` sections.
        num_ids: ids of the machine, the classes.

    Raises:
        ConfigError: a setting that makes no classifier, or a single id.
    """
    _check(settings, num_ids)
    num_warps = settings["num_warps"]
    num_given = num_ids * (1 + len(settings["speeds"]))  # classes that windows come with
    model = _model(settings, num_given * (1 + num_warps))
    scoring = ssl_scores.scoring(settings, num_ids)

    def init(key: Array, batch: dict[str, Array]) -> dict[str, Any]:
        image = jnp.zeros((1, settings["num_frames"], settings["num_mels"]))
        variables = {**model.init(key, image)}
        variables["moments"] = {"mean": batch["mean"], "std": batch["std"]}
        if num_warps:
            warp_key = jax.random.fold_in(key, 1)
            variables["warps"] = ssl_cls.draw_warps(warp_key, num_warps, settings["warp_strength"])
        return variables

    def apply(variables: dict[str, Any], images: Array, *args: Any, **kwargs: Any) -> Any:
        moments = variables["moments"]
        z = (images - moments["mean"][None, None]) / moments["std"][None, None]
        learned = {"params": variables["params"], "batch_stats": variables["batch_stats"]}
        return model.apply(learned, z, *args, **kwargs)

    def loss(variables: dict[str, Any], key: Array, batch: dict[str, Array]) -> tuple:
        augment_key, dropout_key = jax.random.split(key)
        augmentation = ssl_cls.Augmentation(
            num_given, settings["mixture"], settings["mixed_share"], variables.get("warps")
        )
        images, targets = ssl_cls.augment(augment_key, augmentation, batch["x"], batch["id"])
        (logits, _), updated = apply(
            variables,
            images,
            targets,
            train=True,
            mutable=["batch_stats"],
            rngs={"dropout": dropout_key},
        )
        nats = ssl_cls.kl_divergence(logits, targets).mean()
        metrics = {"loss": nats, "accuracy": ssl_cls.accuracy(logits, targets)}
        return nats, ({**variables, "batch_stats": updated["batch_stats"]}, metrics)

    def score(variables: dict[str, Any], batch: dict[str, Array]) -> Float[Array, " batch"]:
        return scoring.score(variables, apply(variables, batch["x"]), batch["id"])

    def embed(variables: dict[str, Any], batch: dict[str, Array]) -> Array:
        return apply(variables, batch["x"]).embedding

    method = Method(
        init, loss, score, first_order(score), illustrate=partial(ssl_pictures.illustrate, settings)
    )
    if scoring.fit:
        return method._replace(embed=embed, fit=scoring.fit, unit="distance")
    return method


def _model(settings: dict[str, Any], num_classes: int) -> ssl_cls.Classifier:
    momentum = settings["norm_momentum"]
    network: nn.Module = ssl_cls.ResNet50(momentum)
    if settings["network"] == "mobilenet_v2":
        network = ssl_cls.MobileNetV2(settings["width"], momentum)
    head: nn.Module = ssl_cls.Softmax(num_classes)
    if settings["head"] == "arcface":
        head = ssl_cls.ArcFace(num_classes, settings["arcface_margin"], settings["arcface_scale"])
    return ssl_cls.Classifier(network, head, settings["dropout_rate"], settings["pool"])


def _check(settings: dict[str, Any], num_ids: int) -> None:
    words = {"network": NETWORKS, "head": HEADS, "mixture": MIXTURES}
    for key, known in words.items():
        if settings[key] not in known:
            raise ConfigError(f"model.{key}={settings[key]!r} is not known: use {', '.join(known)}")
    ssl_scores.check(settings)
    if num_ids < 2:
        raise ConfigError(
            "a machine has one id only, so there is nothing to classify: use a density, such as "
            "configs/gmade_idnn.py"
        )
    if not 0 <= settings["dropout_rate"] < 1 or not 0 <= settings["mixed_share"] <= 1:
        raise ConfigError("model.dropout_rate must be in [0, 1) and model.mixed_share in [0, 1]")
    pool, sides = settings["pool"], (settings["num_frames"], settings["num_mels"])
    if pool < 1 or any(side % pool for side in sides):
        raise ConfigError(
            f"model.pool={pool} must divide window.num_frames={sides[0]} and "
            f"logmel.num_mels={sides[1]}"
        )
    if not settings["width"] > 0 or settings["num_warps"] < 0:
        raise ConfigError("model.width must be above 0 and model.num_warps 0 or more")
