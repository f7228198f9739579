"""Group MADE as a detector: a window is as strange as it is unlikely."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

import gmade
from experiments.errors import ConfigError

ACTIVATIONS = {"relu": jax.nn.relu, "tanh": jnp.tanh, "gelu": jax.nn.gelu, "silu": jax.nn.silu}
SCORES = ("density", "margin", "both")


def build(settings: dict[str, Any], num_ids: int) -> tuple:
    """Builds the functions of `experiments.methods.Method`.

    Features are standardised per mel bin with the moments of the training frames; densities are
    of the features as they came, in nats.

    Args:
        settings: the config's `model`, `window` and `logmel` sections.
        num_ids: ids of the machine, the contexts where `use_id` is set.

    Raises:
        ConfigError: a setting that makes no density.
    """
    density, trained, scored = _density(settings, num_ids)
    num_frames, num_mels = settings["num_frames"], settings["num_mels"]
    kind, weight = _score_kind(settings, num_ids), settings["margin_weight"]
    use_id = settings["use_id"]
    num_groups = num_frames if settings["grouped"] else num_frames * num_mels

    def init(key: Array, batch: dict[str, Array]) -> dict[str, Any]:
        moments = {"mean": batch["mean"], "std": batch["std"]}
        return {"params": density.init(key), "moments": moments}

    def log_prob(
        variables: dict[str, Any],
        x: Float[Array, "batch frames mels"],
        ids: Array,
        key: Array | None = None,
    ) -> Float[Array, "batch targets mels"]:
        mean, std = variables["moments"]["mean"], variables["moments"]["std"]
        z = (x - mean[None, None]) / std[None, None]
        grouped = z.reshape(len(z), num_groups, -1)
        terms = density.log_prob(variables["params"], grouped, ids if use_id else None, key)
        return terms.reshape(len(x), len(trained), num_mels) - jnp.log(std)[None, None]

    def loss(variables: dict[str, Any], key: Array, batch: dict[str, Array]) -> tuple:
        nats = -log_prob(variables, batch["x"], batch["id"], key).mean()
        return nats, (variables, {"loss": nats})

    def window_log_prob(variables: dict[str, Any], x: Array, ids: Array) -> Float[Array, " batch"]:
        return log_prob(variables, x, ids)[:, scored].sum((1, 2))

    def score(variables: dict[str, Any], batch: dict[str, Array]) -> Float[Array, " batch"]:
        own = window_log_prob(variables, batch["x"], batch["id"])
        if kind == "density":
            return -own
        every = jnp.stack(
            [
                window_log_prob(variables, batch["x"], jnp.full_like(batch["id"], other))
                for other in range(num_ids)
            ]
        )
        is_own = jnp.arange(num_ids)[:, None] == batch["id"][None]
        margin = jnp.where(is_own, -jnp.inf, every).max(0) - own
        return margin if kind == "margin" else -own + weight * margin

    def explain(variables: dict[str, Any], batch: dict[str, Array]) -> Array:
        nats = -log_prob(variables, batch["x"], batch["id"])[:, scored]
        frames = np.asarray(trained)[scored]
        return jnp.full((len(nats), num_frames, num_mels), jnp.nan).at[:, frames].set(nats)

    return init, loss, score, explain


def _density(
    settings: dict[str, Any], num_ids: int
) -> tuple[gmade.Density, tuple[int, ...], np.ndarray]:
    """The density, the frames it models, and which of those are scored."""
    _check_network(settings)
    num_mels = settings["num_mels"]
    trained, scored = _frames(settings)
    adjacency = _adjacency(settings["ordering"], settings["num_frames"])
    groups, group_size = trained, num_mels
    if not settings["grouped"]:
        adjacency = gmade.regroup(adjacency, num_mels)
        groups = tuple(f * num_mels + b for f in trained for b in range(num_mels))
        group_size = 1
    num_components = settings["num_components"]
    density = gmade.group_made(
        adjacency,
        group_size,
        settings["hidden"],
        gmade.mixture_of_gaussians(num_components) if num_components else gmade.gaussian(),
        groups,
        num_ids if settings["use_id"] else 0,
        ACTIVATIONS[settings["activation"]],
        settings["dropout_rate"],
    )
    return density, trained, np.asarray([trained.index(frame) for frame in scored])


def _frames(settings: dict[str, Any]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Which frames are trained, and which are scored."""
    num_frames = settings["num_frames"]
    trained = tuple(settings["train_frames"]) or tuple(range(num_frames))
    scored = tuple(settings["score_frames"]) or trained
    if not set(trained) <= set(range(num_frames)):
        raise ConfigError(f"model.train_frames={trained} must lie within 0 to {num_frames - 1}")
    if not set(scored) <= set(trained):
        raise ConfigError(f"model.score_frames={scored} must be among model.train_frames={trained}")
    return trained, scored


def _check_network(settings: dict[str, Any]) -> None:
    hidden, activation = settings["hidden"], settings["activation"]
    if not hidden or min(hidden) < 1:
        raise ConfigError(f"model.hidden={hidden} must be widths of 1 or more")
    if activation not in ACTIVATIONS:
        known = ", ".join(ACTIVATIONS)
        raise ConfigError(f"model.activation={activation!r} is not known: use {known}")
    if not 0 <= settings["dropout_rate"] < 1:
        raise ConfigError(f"model.dropout_rate={settings['dropout_rate']} must be in [0, 1)")
    if settings["num_components"] < 0:
        raise ConfigError("model.num_components must be 0 (one Gaussian) or more")


def _adjacency(ordering: Any, num_frames: int) -> np.ndarray:
    """From an ordering's name, ranks or matrix."""
    try:
        if isinstance(ordering, str):
            return gmade.adjacency_from_ranks(gmade.frame_ranks(ordering, num_frames))
        matrix = np.asarray(ordering)
        if matrix.shape == (num_frames,):
            return gmade.adjacency_from_ranks(matrix.tolist())
        if matrix.shape == (num_frames, num_frames):
            gmade.check_adjacency(matrix.astype(bool))
            return matrix.astype(bool)
    except ValueError as error:
        raise ConfigError(f"model.ordering: {error}") from error
    raise ConfigError(
        f"model.ordering={ordering!r} must be a name, {num_frames} ranks, "
        f"or a {num_frames} x {num_frames} matrix"
    )


def _score_kind(settings: dict[str, Any], num_ids: int) -> str:
    kind = settings["score"]
    if kind not in SCORES:
        raise ConfigError(f"model.score={kind!r} is not known: use {', '.join(SCORES)}")
    if kind != "density" and not (settings["use_id"] and num_ids > 1):
        raise ConfigError(
            f"model.score={kind!r} compares ids: it needs model.use_id=True and two ids or more"
        )
    return kind
