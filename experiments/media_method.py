"""The pyramid of recurrent layers as a method: how likely each snippet of a stream is media."""

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from experiments.errors import ConfigError
from experiments.method import Method
from sed.pyramid import CONTEXTS, Pyramid
from sed.snippet_features import SnippetFeatures

DIRECTIONS = ("forward", "both")


def build(settings: dict[str, Any], snippet_frames: int) -> Method:
    """Builds the detector as a method.

    A window is a stream, standardised per mel bin and cut into snippets. A training batch's
    `media` is (batch, snippets), 1 where a snippet holds mostly media. A score is the probability
    of that, (batch, snippets); the loss its cross entropy, in nats.

    Args:
        settings: the config's `model` section.
        snippet_frames: frames in a snippet.

    Raises:
        ConfigError: a setting that makes no detector.
    """
    check(settings, snippet_frames)
    model: Any = Pyramid(
        SnippetFeatures(
            tuple(settings["channels"]), settings["conv_features"], settings["time_stride"]
        ),
        tuple(settings["features"]),
        tuple(settings["strides"]),
        settings["context"],
        settings["context_features"],
        settings["direction"] == "both",
        settings["dropout_rate"],
    )
    return _method(model, snippet_frames)


@cache
def _method(model: Any, snippet_frames: int) -> Method:
    """A pyramid as a method; equal ones give the same functions, so that they compile once."""

    def init(key: Array, batch: dict[str, Array]) -> dict[str, Any]:
        snippet = jnp.zeros((1, 1, snippet_frames, batch["x"].shape[-1]))
        moments = {"mean": batch["mean"], "std": batch["std"]}
        return {**model.init(key, snippet), "moments": moments}

    def log_odds(variables: dict[str, Any], x: Array, **kwargs: Any) -> Any:
        moments = variables["moments"]
        z = (x - moments["mean"][None, None]) / moments["std"][None, None]
        snippets = z.reshape(len(z), -1, snippet_frames, z.shape[-1])
        return model.apply({"params": variables["params"]}, snippets, **kwargs)

    def loss(variables: dict[str, Any], key: Array, batch: dict[str, Array]) -> tuple:
        odds = log_odds(variables, batch["x"], train=True, rngs={"dropout": key})
        nats = optax.sigmoid_binary_cross_entropy(odds, batch["media"]).mean()
        accuracy = ((odds > 0) == (batch["media"] > 0.5)).mean()
        return nats, (variables, {"loss": nats, "accuracy": accuracy})

    def score(variables: dict[str, Any], batch: dict[str, Array]) -> Float[Array, "batch snippets"]:
        return jax.nn.sigmoid(log_odds(variables, batch["x"]))

    def explain(variables: dict[str, Any], batch: dict[str, Array]) -> Array:
        return jnp.full_like(batch["x"], jnp.nan)

    return Method(init, loss, score, explain, unit="probability")


def check(settings: dict[str, Any], snippet_frames: int) -> None:
    """Checks `model`.

    Raises:
        ConfigError: it makes no detector.
    """
    for name, known in (("context", CONTEXTS), ("direction", DIRECTIONS)):
        if settings[name] not in known:
            raise ConfigError(
                f"model.{name}={settings[name]!r} is not known: use {', '.join(known)}"
            )
    for name, fewest in (("channels", 1), ("features", 2), ("strides", 1)):
        sizes = settings[name]
        if len(sizes) < fewest or not all(isinstance(each, int) and each > 0 for each in sizes):
            raise ConfigError(
                f"model.{name}={sizes} must be {fewest} or more whole numbers above 0"
            )
    for name in ("conv_features", "time_stride", "context_features"):
        if settings[name] < 1:
            raise ConfigError(f"model.{name}={settings[name]} must be 1 or more")
    if not 0 <= settings["dropout_rate"] < 1:
        raise ConfigError(f"model.dropout_rate={settings['dropout_rate']} must be in [0, 1)")
    layers, strides = settings["features"], settings["strides"]
    if len(strides) != len(layers) - 1:
        raise ConfigError(
            f"model.strides={strides} must be one fewer than the layers of model.features={layers}"
        )
    steps = -(-snippet_frames // settings["time_stride"])
    for stride in strides:
        if stride > steps:
            raise ConfigError(
                f"model.strides={strides} do not fit: a layer with {steps} outputs a snippet "
                f"cannot be read every {stride}; use smaller ones or a longer "
                "window.snippet_seconds"
            )
        steps = -(-steps // stride)
