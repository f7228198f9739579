"""Group MADE as a detector: a window is as strange as it is unlikely."""

from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

import gmade
from experiments.errors import ConfigError
from experiments.method import Method

ACTIVATIONS = {"relu": jax.nn.relu, "tanh": jnp.tanh, "gelu": jax.nn.gelu, "silu": jax.nn.silu}
SCORES = ("density", "margin", "both")
PRECISIONS = {"float32": jnp.float32, "bfloat16": jnp.bfloat16}
# The settings that, with the order of frames and the mixture, make a density what it is.
SHAPING = (
    "num_frames",
    "num_mels",
    "grouped",
    "hidden",
    "activation",
    "dropout_rate",
    "use_id",
    "score",
    "margin_weight",
    "precision",
)


class Shape(NamedTuple):
    """What a density has in common with others that can be trained together with it.

    Frames are taken in an order in which each comes after all that it sees, so that the causal
    order and its reverse, or a middle frame and a first frame that see all others, have one shape.

    Attributes:
        adjacency: who sees whom among the frames so ordered.
        trained, scored: positions in that order, and among the trained.
        max_components: of the mixture, those without weight included.
        settings: all the settings that shape the rest.
        num_ids: of the machine.
    """

    adjacency: tuple[tuple[bool, ...], ...]
    trained: tuple[int, ...]
    scored: tuple[int, ...]
    max_components: int
    settings: tuple[tuple[str, Any], ...]
    num_ids: int


def build(settings: dict[str, Any], num_ids: int) -> Method:
    """Builds the density as a method.

    Features are standardised per mel bin with the moments of the training frames; densities are
    of the features as they came, in nats. Settings of one shape share `loss`, `score`, `explain`.

    Args:
        settings: the config's `model`, `window` and `logmel` sections.
        num_ids: ids of the machine, the contexts where `use_id` is set.

    Raises:
        ConfigError: a setting that makes no density.
    """
    _check_network(settings)
    adjacency = _adjacency(settings["ordering"], settings["num_frames"])
    order = np.argsort(gmade.depths(adjacency), kind="stable")
    trained, scored = (np.flatnonzero(np.isin(order, frames)) for frames in _frames(settings))
    num_components, max_components = settings["num_components"], settings["max_components"]
    shape = Shape(
        tuple(map(tuple, adjacency[np.ix_(order, order)].tolist())),
        tuple(trained.tolist()),
        tuple(np.searchsorted(trained, scored).tolist()),
        max(num_components, max_components),
        tuple((name, settings[name]) for name in SHAPING),
        num_ids,
    )
    _check_score(settings, num_ids)
    density = _density(shape, num_components)

    def init(key: Array, batch: dict[str, Array]) -> dict[str, Any]:
        moments = {"mean": batch["mean"], "std": batch["std"]}
        return {"params": density.init(key), "moments": moments, "order": jnp.asarray(order)}

    def sample(
        variables: dict[str, Any], key: Array, batch: dict[str, Array], frames: tuple[int, ...] = ()
    ) -> Float[Array, "batch frames mels"]:
        x, moments = batch["x"], variables["moments"]
        drawn = np.array(frames or order[trained])
        place = np.argsort(order)[drawn]
        z, context = _inputs(settings, variables, x, batch["id"])
        z = density.sample(variables["params"], key, z, context, _groups(settings, place))
        new = z.reshape(x.shape)[:, place] * moments["std"][None, None]
        return x.at[:, drawn].set(new + moments["mean"][None, None])

    last = settings["num_frames"] - 1
    slides = last in order[trained] and adjacency[last, :last].all()
    return Method(init, *_functions(shape), sample=sample if slides else None)


@cache
def _functions(shape: Shape) -> tuple:
    """`loss`, `score` and `explain` of all methods of one shape."""
    settings = dict(shape.settings)
    density = _density(shape, shape.max_components)
    num_frames, num_mels = settings["num_frames"], settings["num_mels"]
    kind, weight = settings["score"], settings["margin_weight"]
    trained, scored = np.asarray(shape.trained), np.asarray(shape.scored)

    def loss(variables: dict[str, Any], key: Array, batch: dict[str, Array]) -> tuple:
        z, context = _inputs(settings, variables, batch["x"], batch["id"])
        nats = density.loss(variables["params"], z, context, key)
        nats += jnp.log(variables["moments"]["std"]).mean()
        return nats, (variables, {"loss": nats})

    def frame_nats(
        variables: dict[str, Any], x: Float[Array, "batch frames mels"], ids: Array
    ) -> Float[Array, "batch scored mels"]:
        z, context = _inputs(settings, variables, x, ids)
        log_prob = density.log_prob(variables["params"], z, context)
        log_prob = log_prob.reshape(len(x), len(trained), num_mels)[:, scored]
        return jnp.log(variables["moments"]["std"])[None, None] - log_prob

    def nats(variables: dict[str, Any], x: Array, ids: Array) -> Float[Array, " batch"]:
        return frame_nats(variables, x, ids).sum((1, 2))

    def score(variables: dict[str, Any], batch: dict[str, Array]) -> Float[Array, " batch"]:
        own = nats(variables, batch["x"], batch["id"])
        if kind == "density":
            return own
        others = [jnp.full_like(batch["id"], other) for other in range(shape.num_ids)]
        every = jnp.stack([nats(variables, batch["x"], other) for other in others])
        is_own = jnp.arange(shape.num_ids)[:, None] == batch["id"][None]
        margin = own - jnp.where(is_own, jnp.inf, every).min(0)
        return margin if kind == "margin" else own + weight * margin

    def explain(variables: dict[str, Any], batch: dict[str, Array]) -> Array:
        frames = variables["order"][trained[scored]]
        strange = jnp.full((len(batch["x"]), num_frames, num_mels), jnp.nan)
        return strange.at[:, frames].set(frame_nats(variables, batch["x"], batch["id"]))

    return loss, score, explain


def _inputs(
    settings: dict[str, Any], variables: dict[str, Any], x: Array, ids: Array
) -> tuple[Float[Array, "batch groups bins"], Array | None]:
    """Standardised windows, their frames in order, as groups; and the context."""
    mean, std = variables["moments"]["mean"], variables["moments"]["std"]
    z = (x[:, variables["order"]] - mean[None, None]) / std[None, None]
    num_groups = x.shape[1] if settings["grouped"] else x.shape[1] * x.shape[2]
    return z.reshape(len(z), num_groups, -1), ids if settings["use_id"] else None


def _groups(settings: dict[str, Any], frames: Iterable[int]) -> tuple[int, ...]:
    """The groups of some frames: themselves, or each of their bins."""
    each = 1 if settings["grouped"] else settings["num_mels"]
    return tuple(int(frame) * each + i for frame in frames for i in range(each))


def _density(shape: Shape, num_components: int) -> gmade.Density:
    """The density; its functions depend on the number of components only where it starts."""
    settings = dict(shape.settings)
    num_mels = settings["num_mels"]
    adjacency, group_size = np.asarray(shape.adjacency), num_mels
    if not settings["grouped"]:
        adjacency, group_size = gmade.regroup(adjacency, num_mels), 1
    mixture = gmade.mixture_of_gaussians(num_components, shape.max_components)
    return gmade.group_made(
        adjacency,
        group_size,
        settings["hidden"],
        mixture if shape.max_components else gmade.gaussian(),
        _groups(settings, shape.trained),
        shape.num_ids if settings["use_id"] else 0,
        ACTIVATIONS[settings["activation"]],
        settings["dropout_rate"],
        PRECISIONS[settings["precision"]],
    )


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
    if settings["max_components"] and not settings["num_components"]:
        raise ConfigError("model.max_components is of a mixture: model.num_components is 0")
    if settings["precision"] not in PRECISIONS:
        known = ", ".join(PRECISIONS)
        raise ConfigError(f"model.precision={settings['precision']!r} is not known: use {known}")


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


def _check_score(settings: dict[str, Any], num_ids: int) -> None:
    kind = settings["score"]
    if kind not in SCORES:
        raise ConfigError(f"model.score={kind!r} is not known: use {', '.join(SCORES)}")
    if kind != "density" and not (settings["use_id"] and num_ids > 1):
        raise ConfigError(
            f"model.score={kind!r} compares ids: it needs model.use_id=True and two ids or more"
        )
