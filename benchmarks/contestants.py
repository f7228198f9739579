"""The densities that `benchmarks.density` races: this project's, and the same done densely.

Every contestant takes the same windows and does the same step: forward, backward, Adam. Those in
JAX, peers too, run `STEPS` steps as one program, a scan over as many batches that lie in memory
already, which is how this project trains.
"""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

import gmade

NUM_FRAMES, NUM_MELS = 5, 128
NUM_BINS = NUM_FRAMES * NUM_MELS
STEPS = 10  # one call of `train`
LEARNING_RATE = 1e-3
CAUSAL = gmade.adjacency_from_ranks(gmade.frame_ranks("causal", NUM_FRAMES))
MIDDLE_LAST = gmade.adjacency_from_ranks(gmade.frame_ranks("middle_last", NUM_FRAMES))
MIDDLE = (NUM_FRAMES // 2,)
LOG_SQRT_2PI = 0.5 * math.log(2 * math.pi)


class Task(NamedTuple):
    """What every contestant is given: the sizes of its network, and of a batch."""

    hidden: tuple[int, ...]
    num_components: int
    batch_size: int

    def batches(self) -> np.ndarray:
        """(STEPS, batch, frames, mels): normal, and correlated by a level that a window shares."""
        rng = np.random.default_rng(0)
        shape = (STEPS, self.batch_size, NUM_FRAMES, NUM_MELS)
        level = rng.standard_normal((*shape[:2], 1, 1), np.float32)
        return np.float32(0.6) * level + np.float32(0.8) * rng.standard_normal(shape, np.float32)


class Contestant(NamedTuple):
    """A density ready to be timed.

    Attributes:
        num_params: numbers it stores, masked ones among them.
        train: runs `STEPS` steps and returns the last one's loss, nats per bin.
        score: returns the log-density of each window of the first batch, in nats.
    """

    num_params: int
    train: Callable[[], float]
    score: Callable[[], np.ndarray]


def in_jax(
    params: Any,
    loss: Callable[[Any, jax.Array], jax.Array],
    score: Callable[[Any, jax.Array], jax.Array],
    batches: np.ndarray,
) -> Contestant:
    """A contestant in JAX.

    Args:
        params: its parameters.
        loss: `(params, x) -> nats per bin`, to be minimised.
        score: `(params, x) -> (batch,)`, nats.
        batches: (STEPS, batch, ...), the windows as the contestant wants them.
    """
    state, step = adam(params, loss)
    xs = jnp.asarray(batches)
    x = xs[0]
    steps = jax.jit(lambda state, xs: jax.lax.scan(step, state, xs), donate_argnums=0)
    jitted_score = jax.jit(score)

    def train() -> float:
        nonlocal state
        state, nats = steps(state, xs)
        return float(nats[-1])

    return Contestant(
        sum(leaf.size for leaf in jax.tree.leaves(params)),
        train,
        lambda: np.asarray(jitted_score(state[0], x)),
    )


def adam(params: Any, loss: Callable[[Any, jax.Array], jax.Array]) -> tuple[tuple, Callable]:
    """Returns where training starts, and its `(state, x) -> state, loss`."""
    optimizer = optax.adam(LEARNING_RATE)

    def step(state: tuple, x: jax.Array) -> tuple:
        params, opt_state = state
        nats, grads = jax.value_and_grad(loss)(params, x)
        updates, opt_state = optimizer.update(grads, opt_state)
        return (optax.apply_updates(params, updates), opt_state), nats

    return (params, optimizer.init(params)), step


def group_density(task: Task, order: np.ndarray, targets: tuple[int, ...] = ()) -> gmade.Density:
    """Group MADE over frames."""
    head = gmade.mixture_of_gaussians(task.num_components)
    return gmade.group_made(order, NUM_MELS, task.hidden, head, targets)


def gmade_causal(task: Task) -> Contestant:
    """All five frames, each given those before it."""
    return _ours(group_density(task, CAUSAL), task)


def gmade_idnn(task: Task) -> Contestant:
    """The middle frame given the other four."""
    return _ours(group_density(task, MIDDLE_LAST, MIDDLE), task)


def gmade_made(task: Task) -> Contestant:
    """Groups of one bin: the model of the peers."""
    return _ungrouped(gmade.mixture_of_gaussians(task.num_components), task)


def gmade_gaussian(task: Task) -> Contestant:
    """Groups of one bin, each with a single Gaussian."""
    return _ungrouped(gmade.gaussian(), task)


def _ungrouped(head: gmade.Head, task: Task) -> Contestant:
    order = gmade.regroup(CAUSAL, NUM_MELS)
    return _ours(gmade.group_made(order, 1, task.hidden, head), task, num_groups=NUM_BINS)


def _ours(density: gmade.Density, task: Task, num_groups: int = NUM_FRAMES) -> Contestant:
    return in_jax(
        density.init(jax.random.key(0)),
        density.loss,
        lambda params, x: density.log_prob(params, x).sum((1, 2)),
        task.batches().reshape(STEPS, task.batch_size, num_groups, -1),
    )


def dense_oracle(task: Task) -> Contestant:
    """What `gmade_causal` computes, as one writes it down first: every product whole."""
    masks = dense_masks(task)
    return in_jax(
        init_dense(jax.random.key(0), masks),
        lambda params, x: -dense_log_prob(params, masks, x).mean(),
        lambda params, x: dense_log_prob(params, masks, x).sum((1, 2)),
        task.batches(),
    )


def dense_masks(task: Task) -> list[np.ndarray]:
    """MADE's masks of a causal Group MADE: a unit's degree is the last frame it may see."""
    frames = np.repeat(np.arange(NUM_FRAMES), NUM_MELS)
    units = [-(-np.arange(1, w + 1) * (NUM_FRAMES - 1) // w) - 1 for w in task.hidden]
    masks = [low[:, None] <= high[None] for low, high in pairwise([frames, *units])]
    head = units[-1][:, None] < frames[None]
    return [*masks, np.repeat(head, 3 * task.num_components, axis=1)]


def init_dense(key: jax.Array, masks: list[np.ndarray]) -> list[dict[str, jax.Array]]:
    """He-normal weights, and biases of zero."""
    keys = jax.random.split(key, len(masks))
    return [
        {
            "w": math.sqrt(2 / len(mask)) * jax.random.normal(subkey, mask.shape),
            "b": jnp.zeros(mask.shape[1]),
        }
        for mask, subkey in zip(masks, keys, strict=True)
    ]


def dense_log_prob(
    params: list[dict[str, jax.Array]], masks: list[np.ndarray], x: jax.Array
) -> jax.Array:
    """Nats per bin, (batch, frames, mels), from layers multiplied whole and their masks."""
    h = x.reshape(len(x), -1)
    for i, (layer, mask) in enumerate(zip(params, masks, strict=True)):
        h = h @ jnp.where(mask, layer["w"], 0.0) + layer["b"]
        if i + 1 < len(params):
            h = jax.nn.relu(h)
    return plain_mixture(h.reshape(*x.shape, 3, -1), x)


def plain_mixture(params: jax.Array, x: jax.Array) -> jax.Array:
    """A mixture of Gaussians as it is mostly written: params (..., 3, C), components last."""
    logits, means, log_scales = (params[..., i, :] for i in range(3))
    log_scales = jnp.maximum(log_scales, -3.0)
    z = (x[..., None] - means) * jnp.exp(-log_scales)
    log_weights = jax.nn.log_softmax(logits)
    return jax.nn.logsumexp(log_weights - 0.5 * z * z - log_scales - LOG_SQRT_2PI, axis=-1)
