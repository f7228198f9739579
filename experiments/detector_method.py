"""Detectors of sound events as methods: what is learned from, and what is made of what they say."""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from experiments.errors import ConfigError
from experiments.method import Method
from sed import attention, frames, rcrnn, rcrnn_loss
from sed.distortion import masked, transposed
from sed.intervals import suppress
from sed.marks import Mark, active_runs, attended, best_region, longest

Looks = dict[str, Any]


class Detector(NamedTuple):
    """A method whose batches also hold `truth`, (batch, 2) seconds, and how it marks events.

    Attributes:
        method: learns; its score is the probability that a clip has the event.
        look: `(variables, batch) -> looks`, arrays with a row for each clip, among them `score`
            (batch,) and `curve` (batch, steps), probabilities over time.
        mark: `(looks of one clip, threshold) -> marks`.
        curve_hop: from step to step of a curve, seconds.
    """

    method: Method
    look: Callable[..., Looks]
    mark: Callable[[Looks, float], list[Mark]]
    curve_hop: float


class Network(NamedTuple):
    """What the kinds of detectors differ in.

    Attributes:
        module: `z -> said`, of standardised log-mels.
        loss: `(said, truth) -> loss, metrics`.
        look: `said -> looks`.
        mark, curve_hop: as a detector's.
        wants_truth: whether the module is given the truth in training.
    """

    module: nn.Module
    loss: Callable[..., tuple[Array, dict[str, Array]]]
    look: Callable[..., Looks]
    mark: Callable[[Looks, float], list[Mark]]
    curve_hop: float
    wants_truth: bool = False


def build(config: Any) -> Detector:
    """The detector that a config's `model` section describes.

    Raises:
        ConfigError: no such detector, or settings that cannot be built.
    """
    model = config.model.to_dict()
    hop = config.logmel.hop_length / config.logmel.sample_rate
    if model.get("detector") not in NETWORKS:
        known = ", ".join(NETWORKS)
        raise ConfigError(f"model.detector={model.get('detector')!r} is not known: use {known}")
    if not 0 <= model["dropout_rate"] < 1:
        raise ConfigError(f"model.dropout_rate={model['dropout_rate']} must be in [0, 1)")
    if not 0 <= model["max_band_shift"] < config.logmel.num_mels:
        raise ConfigError(
            f"model.max_band_shift={model['max_band_shift']} must be from 0 to less than the bands"
        )
    if not 0 <= model["masked_share"] < 1:
        raise ConfigError(f"model.masked_share={model['masked_share']} must be in [0, 1)")
    return _build(tuple(sorted(model.items())), hop)


@cache
def _build(settings: tuple[tuple[str, Any], ...], hop: float) -> Detector:
    model = dict(settings)
    network = NETWORKS[model["detector"]](model, hop)

    def apply(variables: dict[str, Any], x: Array, *args: Any, **kwargs: Any) -> Any:
        moments = variables["moments"]
        usual = x.mean(1, keepdims=True) if model["from_own_mean"] else moments["mean"][None, None]
        z = (x - usual) / moments["std"][None, None]
        return network.module.apply({"params": variables["params"]}, z, *args, **kwargs)

    def init(key: Array, batch: dict[str, Array]) -> dict[str, Any]:
        params = network.module.init(key, jnp.zeros_like(batch["x"]))["params"]
        return {"params": params, "moments": {"mean": batch["mean"], "std": batch["std"]}}

    def loss(variables: dict[str, Any], key: Array, batch: dict[str, Array]) -> tuple:
        dropout_key, shift_key, mask_key = jax.random.split(key, 3)
        x = transposed(shift_key, batch["x"], model["max_band_shift"])
        x = masked(mask_key, x, variables["moments"]["mean"], 0.0, model["masked_share"])
        given = {"truth": batch["truth"]} if network.wants_truth else {}
        said = apply(variables, x, train=True, rngs={"dropout": dropout_key}, **given)
        total, metrics = network.loss(said, batch["truth"])
        return total, (variables, {"loss": total, **metrics})

    def look(variables: dict[str, Any], batch: dict[str, Array]) -> Looks:
        return network.look(apply(variables, batch["x"]))

    def score(variables: dict[str, Any], batch: dict[str, Array]) -> Array:
        return look(variables, batch)["score"]

    def explain(variables: dict[str, Any], batch: dict[str, Array]) -> Array:
        return jnp.full(batch["x"].shape, jnp.nan)

    return Detector(Method(init, loss, score, explain), look, network.mark, network.curve_hop)


def _rcrnn(model: dict[str, Any], hop: float) -> Network:
    fields = ("channels", "pools", "features", "recurrent", "lengths", "num_regions", "max_iou")
    if len(model["channels"]) != len(model["pools"]):
        raise ConfigError("model.channels and model.pools must be of one length, a pool a block")
    if not 0 <= model["miss_iou"] <= model["hit_iou"] <= 1:
        raise ConfigError("model.miss_iou and model.hit_iou must be in [0, 1], the miss not above")
    module = rcrnn.RCRNN(
        hop_seconds=hop,
        num_points=model["num_points"],
        dropout_rate=model["dropout_rate"],
        **{name: model[name] for name in fields},
    )
    num_lengths, max_iou = len(model["lengths"]), model["max_iou"]

    def loss(said: rcrnn.Regions, truth: Array) -> tuple[Array, dict[str, Array]]:
        settings = model["hit_iou"], model["miss_iou"], model["num_misses"]
        return rcrnn_loss.loss(said, truth, *settings)

    def look(said: rcrnn.Regions) -> Looks:
        objectness = said.proposed.logits.reshape(len(said.regions), -1, num_lengths).max(-1)
        spans, logits = rcrnn.detections(said)
        best, kept = jax.vmap(lambda s, z: suppress(s, z, max_iou, 4))(spans, logits)
        scores = jax.nn.sigmoid(kept)
        curve = jax.nn.sigmoid(objectness)
        return {"spans": best, "scores": scores, "score": scores[:, 0], "curve": curve}

    def mark(looks: Looks, threshold: float) -> list[Mark]:
        return best_region(looks["spans"], looks["scores"], threshold)

    return Network(module, loss, look, mark, hop * module.time_pool, wants_truth=True)


def _attention(model: dict[str, Any], hop: float) -> Network:
    module = attention.AttentionDetector(
        model["features"], model["num_halvings"], model["dropout_rate"]
    )
    if not 0 < model["share"] <= 1:
        raise ConfigError(f"model.share={model['share']} must be above 0 and at most 1")

    def loss(said: attention.Attended, truth: Array) -> tuple[Array, dict[str, Array]]:
        return attention.loss(said, truth, hop, model["frame_weight"])

    def look(said: attention.Attended) -> Looks:
        return {"score": jax.nn.sigmoid(said.clip), "curve": jax.nn.sigmoid(said.frames)}

    def mark(looks: Looks, threshold: float) -> list[Mark]:
        score = float(looks["score"])
        return attended(looks["curve"], score, threshold, hop, model["share"])

    return Network(module, loss, look, mark, hop)


def _frames(model: dict[str, Any], hop: float) -> Network:
    module = frames.FrameClassifier(model["hidden"], model["context"], model["dropout_rate"])
    median = 2 * round(0.5 * (model["median_seconds"] / hop - 1)) + 1

    def loss(said: Array, truth: Array) -> tuple[Array, dict[str, Array]]:
        return frames.loss(said, truth, hop)

    def look(said: Array) -> Looks:
        curve = jax.nn.sigmoid(said)
        return {"score": curve.max(-1), "curve": curve}

    def mark(looks: Looks, threshold: float) -> list[Mark]:
        runs = active_runs(np.asarray(looks["curve"]), threshold, hop, max(median, 1))
        return longest(runs) if model["longest_only"] else runs

    return Network(module, loss, look, mark, hop)


NETWORKS = {"rcrnn": _rcrnn, "attention": _attention, "frames": _frames}
