"""The training program: steps of one model, or of a population of models of one shape."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from experiments.errors import ConfigError
from experiments.feed import gather_windows
from experiments.method import Batch, Method
from ssl_cls import compiler_options

State = dict[str, Any]
SCHEDULES = ("cosine", "constant", "plateau")
OPTIMIZERS = {"adam": optax.scale_by_adam, "sgd": partial(optax.trace, decay=0.9)}


def learning_rate(step: Any, num_steps: Any, peak: float, schedule: str) -> jax.Array:
    """The rate of a step: `cosine`, from the peak to zero, or constant.

    Where it is to fall on a `plateau`, the optimiser's state knows by how much.
    """
    if schedule != "cosine":
        return jnp.full_like(step, peak, jnp.float32)
    return peak * 0.5 * (1 + jnp.cos(jnp.pi * step / num_steps))


def check_training(config: Any) -> None:
    """Checks `train` before anything rests on it.

    Raises:
        ConfigError: a number is out of range, or a word is not known.
    """
    train = config.train
    counts = ("num_epochs", "batch_size", "steps_per_call", "log_every_steps")
    for name in (*counts, "checkpoint_every_steps"):
        if train[name] < 1:
            raise ConfigError(f"train.{name}={train[name]} must be 1 or more")
    for name in ("learning_rate", "max_grad_norm"):
        if not train[name] > 0:
            raise ConfigError(f"train.{name}={train[name]} must be above 0")
    for name in ("resident_gb", "weight_decay"):
        if not train[name] >= 0:
            raise ConfigError(f"train.{name}={train[name]} must be 0 or more")
    if train.schedule not in SCHEDULES:
        raise ConfigError(
            f"train.schedule={train.schedule!r} is not known: use {', '.join(SCHEDULES)}"
        )
    if train.schedule == "plateau":
        if not 0 < train.plateau_factor < 1:
            raise ConfigError(f"train.plateau_factor={train.plateau_factor} must be in (0, 1)")
        if train.plateau_patience < 1:
            raise ConfigError(f"train.plateau_patience={train.plateau_patience} must be 1 or more")
    if train.get("optimizer", "adam") not in OPTIMIZERS:
        raise ConfigError(
            f"train.optimizer={train.optimizer!r} is not known: use {', '.join(OPTIMIZERS)}"
        )


class Optimizer(NamedTuple):
    """Adam with clipped gradients and decoupled weight decay (Loshchilov and Hutter, 2019).

    Or, for models that Adam would make learn their data by heart, gradient descent with momentum.

    Attributes:
        learning_rate: the highest.
        schedule: `constant`, `cosine`, or `plateau`: multiplied by a factor whenever the mean loss
            of an epoch has not fallen for so many epochs.
        max_grad_norm: longer gradients are scaled down to this length.
        weight_decay: times the learning rate, the share of every weight that a step takes away;
            not of biases and scales.
        optimizer: `adam`, or `sgd` with a momentum of 0.9.
        plateau_factor, plateau_patience: the factor, and how many epochs.
        num_epochs: in all steps.
    """

    learning_rate: float
    schedule: str
    max_grad_norm: float
    weight_decay: float
    optimizer: str = "adam"
    plateau_factor: float = 0.5
    plateau_patience: int = 3
    num_epochs: int = 1

    @classmethod
    def of(cls, train: Any) -> "Optimizer":
        """The one that a config's `train` section describes; most do not say `optimizer`."""
        return cls(**{name: train[name] for name in cls._fields if name in train})

    def transformation(self, num_steps: Any = 1) -> optax.GradientTransformationExtraArgs:
        """From gradients to what is subtracted, but for the learning rate.

        Args:
            num_steps: in all epochs, which its state does not depend on.
        """
        transformations = [
            optax.clip_by_global_norm(self.max_grad_norm),
            OPTIMIZERS[self.optimizer](),
        ]
        if self.weight_decay:
            transformations.append(optax.add_decayed_weights(self.weight_decay, mask=_weights))
        if self.schedule == "plateau":
            transformations.append(
                optax.contrib.reduce_on_plateau(
                    self.plateau_factor,
                    self.plateau_patience,
                    accumulation_size=num_steps // self.num_epochs,
                )
            )
        return optax.with_extra_args_support(optax.chain(*transformations))


def _weights(params: Any) -> Any:
    """Which leaves are matrices of weights, by their names in `gmade` and in Flax."""
    return jax.tree_util.tree_map_with_path(
        lambda path, _: path[-1].key in ("w", "kernel", "centres"), params
    )


@cache
def make_init(method: Method, optimizer: Optimizer, mesh: Mesh) -> Callable[..., State]:
    """The jitted `(key, batch) -> state` of one model, on every device."""

    @partial(jax.jit, out_shardings=NamedSharding(mesh, PartitionSpec()))
    def init(key: jax.Array, batch: Batch) -> State:
        variables = method.init(key, batch)
        opt_state = optimizer.transformation().init(variables["params"])
        return {"step": jnp.zeros((), jnp.int32), "variables": variables, "opt_state": opt_state}

    return init


@cache
def make_steps(
    loss: Callable[..., Any],
    num_frames: int | None,
    optimizer: Optimizer,
    mesh: Mesh,
) -> Callable[..., tuple[State, dict[str, jax.Array]]]:
    """The jitted `(state, keys, num_steps, frames, batches, count) -> state, metrics`.

    Everything but `count`, how many of the batches are used, has an axis of members; it is the
    first, or the second of batches and metrics, which begin with one of steps. A single member is
    trained as it is; several under `vmap`, each standing still once it has done its `num_steps`.

    Many steps are one program: the memory a step works in is then mapped once and not anew every
    step, and the device never waits for Python.

    Args:
        loss: of a `Method`.
        num_frames: frames in a window, where the log-mels live on the device; None where batches
            hold the windows themselves and `frames` is None.
        optimizer: how gradients become steps.
        mesh: the devices.
    """
    fetch = gather_windows(mesh, num_frames) if num_frames else lambda frames, batch: batch

    def step(state: State, key: Any, num_steps: Any, frames: Any, batch: Batch) -> Any:
        key = jax.random.fold_in(key, state["step"])
        batch = fetch(frames, batch)

        def loss_of(params: Any) -> Any:
            return loss({**state["variables"], "params": params}, key, batch)

        params = state["variables"]["params"]
        grads, (variables, metrics) = jax.grad(loss_of, has_aux=True)(params)
        updates, opt_state = optimizer.transformation(num_steps).update(
            grads, state["opt_state"], params, value=metrics["loss"]
        )
        rate = learning_rate(state["step"], num_steps, optimizer.learning_rate, optimizer.schedule)
        if optimizer.schedule == "plateau":
            scale = optax.tree.get(opt_state, "scale")
            metrics = {**metrics, "learning_rate": rate * scale}
        params = jax.tree.map(lambda p, u: p - rate * u, params, updates)
        variables = {**variables, "params": params}
        return {"step": state["step"] + 1, "variables": variables, "opt_state": opt_state}, metrics

    def step_unless_done(state: State, key: Any, num_steps: Any, frames: Any, batch: Batch) -> Any:
        new, metrics = step(state, key, num_steps, frames, batch)
        due = state["step"] < num_steps
        return jax.tree.map(lambda n, old: jnp.where(due, n, old), new, state), metrics

    def step_alone(*args: Any) -> Any:
        only = jax.tree.map(lambda each: each[0], args)
        return jax.tree.map(lambda each: each[None], step(*only))

    @partial(
        jax.jit,
        donate_argnums=0,
        out_shardings=NamedSharding(mesh, PartitionSpec()),
        compiler_options=compiler_options(),
    )
    def steps(
        state: State, keys: Any, num_steps: Any, frames: Any, batches: Batch, count: Any
    ) -> Any:
        every_step = step_alone if len(keys) == 1 else jax.vmap(step_unless_done)

        def body(i: Any, carry: Any) -> Any:
            state, metrics = carry
            batch = jax.tree.map(lambda each: each[i], batches)
            state, new = every_step(state, keys, num_steps, frames, batch)
            return state, jax.tree.map(lambda all_, one: all_.at[i].set(one), metrics, new)

        first = jax.tree.map(lambda each: each[0], batches)
        length = len(jax.tree.leaves(batches)[0])
        if length == 1:
            # Without a loop: within one, XLA's convolutions are several times slower on a CPU.
            state, metrics = every_step(state, keys, num_steps, frames, first)
            return state, jax.tree.map(lambda each: each[None], metrics)
        _, shapes = jax.eval_shape(every_step, state, keys, num_steps, frames, first)
        metrics = jax.tree.map(lambda each: jnp.zeros((length, *each.shape), each.dtype), shapes)
        return jax.lax.fori_loop(0, count, body, (state, metrics))

    return steps
