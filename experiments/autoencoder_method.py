"""Autoencoders as detectors: a window is as strange as what comes out differs from what it is."""

from dataclasses import dataclass
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

import baselines
from experiments.attribution import first_order
from experiments.errors import ConfigError
from experiments.method import Method

NETWORKS = ("dense", "conv")
STANDARDS = ("none", "bin", "feature")
SCORES = ("error", "elbo", "embedding")


def build(settings: dict[str, Any], num_ids: int) -> Method:
    """Builds the autoencoder as a method.

    The frames `model.targets` of a window are predicted from the others; with none named, all from
    all. The loss is the squared error summed over bins, plus `model.beta` times the divergence of a
    variational one's codes; it and the scores made of it are divided by the number of bins.

    Args:
        settings: the config's `model`, `window` and `logmel` sections.
        num_ids: is not used; all ids of a machine share one model.

    Raises:
        ConfigError: a setting that makes no autoencoder.
    """
    _check(settings)
    predict = _Prediction.of(settings)

    def init(key: Array, batch: dict[str, Array]) -> dict[str, Any]:
        return {**predict.init(key), "moments": _moments(settings["standardise"], batch)}

    def loss(variables: dict[str, Any], key: Array, batch: dict[str, Array]) -> tuple:
        outputs, updated = predict(
            variables, batch["x"], train=True, rngs={"code": key}, mutable=["batch_stats"]
        )
        errors = predict.errors(variables, batch["x"], outputs)
        error = errors.mean()
        total = error + settings["beta"] * outputs.kl.mean() / errors[0].size
        return total, ({**variables, **updated}, {"loss": total, "error": error})

    def errors_of(variables: dict[str, Any], x: Array) -> Float[Array, "batch targets mels"]:
        return predict.errors(variables, x, predict(variables, x))

    def error(variables: dict[str, Any], batch: dict[str, Array]) -> Float[Array, " batch"]:
        return errors_of(variables, batch["x"]).mean((1, 2))

    def elbo(variables: dict[str, Any], batch: dict[str, Array]) -> Float[Array, " batch"]:
        outputs = predict(variables, batch["x"])
        errors = predict.errors(variables, batch["x"], outputs)
        return errors.mean((1, 2)) + settings["beta"] * outputs.kl / errors[0].size

    def explain(variables: dict[str, Any], batch: dict[str, Array]) -> Array:
        nothing = jnp.full(batch["x"].shape, jnp.nan)
        return nothing.at[:, predict.targets].set(errors_of(variables, batch["x"]))

    def embed(variables: dict[str, Any], batch: dict[str, Array]) -> Float[Array, "batch latent"]:
        return predict(variables, batch["x"]).code

    def distance(variables: dict[str, Any], batch: dict[str, Array]) -> Float[Array, " batch"]:
        return jnp.square(embed(variables, batch) - variables["centre"][None]).mean(-1)

    if settings["score"] == "embedding":
        return Method(init, loss, distance, first_order(distance), embed, _centre, unit="distance")
    score = {"error": error, "elbo": elbo}[settings["score"]]
    return Method(init, loss, score, explain, unit="squared error")


@dataclass(frozen=True)
class _Prediction:
    """A network, and which frames of a window it is shown and which it is to predict."""

    model: nn.Module
    seen: tuple[int, ...]
    targets: tuple[int, ...]
    num_mels: int

    @classmethod
    def of(cls, settings: dict[str, Any]) -> "_Prediction":
        every, targets = tuple(range(settings["num_frames"])), settings["targets"]
        seen = tuple(frame for frame in every if frame not in targets)
        shape = len(targets or every), settings["num_mels"]
        return cls(_network(settings, shape), seen, targets or every, settings["num_mels"])

    def init(self, key: Array) -> dict[str, Any]:
        return {**self.model.init(key, jnp.zeros((1, len(self.seen), self.num_mels)))}

    def __call__(self, variables: dict[str, Any], x: Array, **kwargs: Any) -> Any:
        """What the network makes of the frames that it is shown."""
        learned = {key: variables[key] for key in ("params", "batch_stats") if key in variables}
        return self.model.apply(learned, _standardised(variables, x)[:, self.seen], **kwargs)

    def errors(
        self, variables: dict[str, Any], x: Array, outputs: baselines.Outputs
    ) -> Float[Array, "batch targets mels"]:
        """Squared errors of the frames that it predicts."""
        return jnp.square(_standardised(variables, x)[:, self.targets] - outputs.prediction)


def _standardised(variables: dict[str, Any], x: Array) -> Float[Array, "batch frames mels"]:
    moments = variables["moments"]
    return (x - moments["mean"][None]) / moments["std"][None]


def _network(settings: dict[str, Any], shape: tuple[int, int]) -> nn.Module:
    """The autoencoder whose outputs have the shape (frames, mels)."""
    hidden, latent, norm = settings["hidden"], settings["latent"], settings["batch_norm"]
    log_variance = baselines.Dense(latent) if settings["variational"] else None
    if settings["network"] == "conv":
        encoder, decoder = baselines.ConvEncoder(hidden), baselines.ConvDecoder(hidden, shape)
        return baselines.Autoencoder(encoder, baselines.Dense(latent), decoder, log_variance)
    encoder = baselines.DenseLayers(hidden, norm)
    decoder = baselines.DenseLayers(hidden[::-1], norm, shape)
    narrow = baselines.Dense(latent, norm and log_variance is None, settings["rectify_code"])
    return baselines.Autoencoder(encoder, narrow, decoder, log_variance)


def _moments(standardise: str, batch: dict[str, Array]) -> dict[str, Array]:
    """What inputs are standardised with: each bin's moments, over all frames or in each frame."""
    if standardise == "none":
        return {"mean": jnp.zeros(()), "std": jnp.ones(())}
    kind = {"bin": "", "feature": "window_"}[standardise]
    return {name: jnp.asarray(batch[kind + name]) for name in ("mean", "std")}


def _centre(embeddings: np.ndarray, ids: np.ndarray) -> dict[str, np.ndarray]:
    return {"centre": embeddings.mean(0, dtype=np.float64).astype(np.float32)}


def _check(settings: dict[str, Any]) -> None:
    for key, known in (("network", NETWORKS), ("standardise", STANDARDS), ("score", SCORES)):
        if settings[key] not in known:
            raise ConfigError(f"model.{key}={settings[key]!r} is not known: use {', '.join(known)}")
    if not settings["hidden"] or min(*settings["hidden"], settings["latent"]) < 1:
        raise ConfigError("model.hidden must be widths of 1 or more, and model.latent 1 or more")
    if not settings["beta"] >= 0:
        raise ConfigError(f"model.beta={settings['beta']} must be 0 or more")
    targets, num_frames = settings["targets"], settings["num_frames"]
    if len(set(targets)) < len(targets) or not set(targets) <= set(range(num_frames)):
        raise ConfigError(
            f"model.targets={targets} must be frames of a window, 0 to {num_frames - 1}"
        )
    if targets and len(targets) == num_frames:
        raise ConfigError(f"model.targets={targets} leave no frame to predict them from")
    if settings["network"] == "conv" and (settings["batch_norm"] or settings["rectify_code"]):
        raise ConfigError("model.batch_norm and model.rectify_code are of model.network=dense")
    if settings["variational"] and settings["rectify_code"]:
        raise ConfigError("model.rectify_code is not for a variational code, which has any sign")
    if settings["score"] == "elbo" and not settings["variational"]:
        raise ConfigError("model.score='elbo' needs model.variational=True")
