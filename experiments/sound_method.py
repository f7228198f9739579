"""A classifier of whole clips, taught with each class's share of each: a method of soft labels."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

import ssl_cls
from experiments.errors import ConfigError
from experiments.method import Method
from sed.cnn import SmallCnn
from sed.distortion import louder, masked, shifted
from ssl_cls.augment import MIXTURES, mix

NETWORKS = ("cnn", "mobilenet_v2", "resnet50")


def build(settings: dict[str, Any], num_classes: int) -> Method:
    """Builds the classifier as a method.

    A batch also holds `targets`, (batch, classes), rows that sum to one. Clips are distorted in
    training (`sed.distortion`), some mixed with one another, and standardised per mel bin. `score`
    gives the probability of each class, (batch, classes).

    Args:
        settings: the config's `model`, `window` and `logmel` sections.
        num_classes: classes to tell apart.

    Raises:
        ConfigError: a setting that makes no classifier.
    """
    _check(settings)
    model = ssl_cls.Classifier(
        _network(settings),
        ssl_cls.Softmax(num_classes),
        settings["dropout_rate"],
        settings["pool"],
    )

    def init(key: Array, batch: dict[str, Array]) -> dict[str, Any]:
        image = jnp.zeros((1, settings["num_frames"], settings["num_mels"]))
        moments = {"mean": batch["mean"], "std": batch["std"]}
        return {**model.init(key, image), "moments": moments}

    def apply(variables: dict[str, Any], images: Array, *args: Any, **kwargs: Any) -> Any:
        moments = variables["moments"]
        z = (images - moments["mean"][None, None]) / moments["std"][None, None]
        learned = {"params": variables["params"], "batch_stats": variables["batch_stats"]}
        return model.apply(learned, z, *args, **kwargs)

    def distorted(variables: dict[str, Any], key: Array, batch: dict[str, Array]) -> tuple:
        shift_key, mix_key, gain_key, mask_key = jax.random.split(key, 4)
        images, targets = shifted(shift_key, batch["x"], settings["shift"]), batch["targets"]
        if settings["mixture"] != "none":
            kind, share = settings["mixture"], settings["mixed_share"]
            images, targets = mix(mix_key, kind, share, images, targets)
        images = louder(gain_key, images, settings["gain_db"])
        fill = variables["moments"]["mean"]
        shares = settings["time_mask"], settings["mel_mask"]
        return masked(mask_key, images, fill, *shares), targets

    def loss(variables: dict[str, Any], key: Array, batch: dict[str, Array]) -> tuple:
        distort_key, dropout_key = jax.random.split(key)
        images, targets = distorted(variables, distort_key, batch)
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

    def probabilities(
        variables: dict[str, Any], batch: dict[str, Array]
    ) -> Float[Array, "batch classes"]:
        return jax.nn.softmax(apply(variables, batch["x"]).logits)

    return Method(init, loss, probabilities, probabilities, unit="probability")


def _network(settings: dict[str, Any]) -> nn.Module:
    momentum = settings["norm_momentum"]
    if settings["network"] == "cnn":
        return SmallCnn(tuple(settings["channels"]), momentum)
    if settings["network"] == "mobilenet_v2":
        return ssl_cls.MobileNetV2(settings["width"], momentum)
    return ssl_cls.ResNet50(momentum)


def _check(settings: dict[str, Any]) -> None:
    for key, known in {"network": NETWORKS, "mixture": MIXTURES}.items():
        if settings[key] not in known:
            raise ConfigError(f"model.{key}={settings[key]!r} is not known: use {', '.join(known)}")
    for key in ("mixed_share", "time_mask", "mel_mask", "shift"):
        if not 0 <= settings[key] <= 1:
            raise ConfigError(f"model.{key}={settings[key]} must be in [0, 1]")
    if not 0 <= settings["dropout_rate"] < 1 or not 0 <= settings["norm_momentum"] < 1:
        raise ConfigError("model.dropout_rate and model.norm_momentum must be in [0, 1)")
    if not settings["width"] > 0 or settings["gain_db"] < 0:
        raise ConfigError("model.width must be above 0 and model.gain_db 0 or more")
    channels, pool = settings["channels"], settings["pool"]
    if not channels or min(channels) < 1:
        raise ConfigError(f"model.channels={channels} must be numbers of 1 or more")
    if pool < 1 or settings["num_mels"] % pool:
        raise ConfigError(f"model.pool={pool} must divide logmel.num_mels={settings['num_mels']}")
    smallest = pool * 2 ** len(channels)
    sides = settings["num_frames"], settings["num_mels"]
    if settings["network"] == "cnn" and min(sides) < smallest:
        raise ConfigError(
            f"model.channels={channels} halve an image {len(channels)} times, so clips need "
            f"{smallest} frames and mels or more; they have {sides[0]} and {sides[1]}"
        )
