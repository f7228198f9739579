"""The training loop: the same for every method, on one device or many, stopped and resumed.

The state is `{"step", "variables", "opt_state"}`. Batches depend on the seed and the step alone,
so a run that is killed and started again goes on bit for bit as if it had not been.
"""

from functools import cache, partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import orbax.checkpoint as ocp
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from experiments.batches import Batches, moments
from experiments.errors import ConfigError
from experiments.methods import Batch, Method, Variables
from experiments.metrics import MetricsLog
from experiments.progress import Progress


def device_mesh() -> Mesh:
    """All devices of all processes, in a row along `data`."""
    return jax.make_mesh((jax.device_count(),), ("data",), axis_types=(AxisType.Auto,))


def check_training(config: Any) -> None:
    """Checks the numbers of `train` before anything rests on them.

    Raises:
        ConfigError: one of them is out of range, or the schedule is not known.
    """
    train = config.train
    for name in ("num_epochs", "batch_size", "log_every_steps", "checkpoint_every_steps"):
        if train[name] < 1:
            raise ConfigError(f"train.{name}={train[name]} must be 1 or more")
    for name in ("learning_rate", "max_grad_norm"):
        if not train[name] > 0:
            raise ConfigError(f"train.{name}={train[name]} must be above 0")
    learning_rate(0, 1, train.learning_rate, train.schedule)


def learning_rate(step: int, num_steps: int, peak: float, schedule: str) -> float:
    """The step's learning rate: `constant`, or `cosine` from the peak to zero.

    Raises:
        ConfigError: the schedule is not known.
    """
    if schedule == "constant":
        return peak
    if schedule == "cosine":
        return float(peak * 0.5 * (1 + np.cos(np.pi * step / num_steps)))
    raise ConfigError(f"train.schedule={schedule!r} is not known: use cosine or constant")


@cache
def make_step(method: Method, max_grad_norm: float, mesh: Mesh) -> Any:
    """The jitted step `(state, key, rate, batch) -> state, metrics` and the state's initialiser."""
    optimizer = optax.chain(optax.clip_by_global_norm(max_grad_norm), optax.scale_by_adam())
    everywhere = NamedSharding(mesh, PartitionSpec())

    @partial(jax.jit, out_shardings=everywhere)
    def init(key: jax.Array, batch: Batch) -> dict[str, Any]:
        variables = method.init(key, batch)
        opt_state = optimizer.init(variables["params"])
        return {"step": jnp.zeros((), jnp.int32), "variables": variables, "opt_state": opt_state}

    @partial(jax.jit, donate_argnums=0, out_shardings=everywhere)
    def step(state: dict[str, Any], key: jax.Array, rate: jax.Array, batch: Batch) -> Any:
        key = jax.random.fold_in(key, state["step"])

        def loss(params: Any) -> Any:
            return method.loss({**state["variables"], "params": params}, key, batch)

        params = state["variables"]["params"]
        grads, (variables, metrics) = jax.grad(loss, has_aux=True)(params)
        updates, opt_state = optimizer.update(grads, state["opt_state"], params)
        params = jax.tree.map(lambda p, u: p - rate * u, params, updates)
        variables = {**variables, "params": params}
        state = {"step": state["step"] + 1, "variables": variables, "opt_state": opt_state}
        return state, metrics

    return init, step


def train(
    method: Method, batches: Batches, frames: np.ndarray, config: Any, workdir: Path, task: str
) -> Variables:
    """Trains one model, or picks up where an earlier run was stopped.

    Args:
        method: what to train.
        batches: its training windows.
        frames: (total_frames, num_mels), this process's training frames, for their moments.
        config: the experiment.
        workdir: where `checkpoints/` and `metrics.jsonl` go.
        task: what the progress bar is called.

    Returns:
        The trained variables, replicated over the devices.

    Raises:
        ConfigError: the loss is no longer finite.
    """
    mesh = device_mesh()
    init_key, key = jax.random.split(jax.random.key(config.seed))
    sharded = NamedSharding(mesh, PartitionSpec("data"))
    num_steps = config.train.num_epochs * batches.steps_per_epoch
    schedule = {"peak": config.train.learning_rate, "schedule": config.train.schedule}
    init, step = make_step(method, config.train.max_grad_norm, mesh)
    window = np.zeros((1, batches.windows.num_frames, frames.shape[1]), np.float32)
    state = init(init_key, {"x": window, "id": np.zeros(1, np.int32), **moments(frames)})

    def globally(batch: Batch) -> Batch:
        return {
            name: jax.make_array_from_process_local_data(sharded, np.asarray(value))
            for name, value in batch.items()
        }

    with _checkpoints(workdir / "checkpoints", config.train.checkpoint_every_steps) as manager:
        done = manager.latest_step() or 0
        if done:
            state = manager.restore(done, args=ocp.args.StandardRestore(state))
        log = MetricsLog(workdir / "metrics.jsonl", done, batches.steps_per_epoch)
        with Progress(task, num_steps, done=done) as progress:
            for batch in batches.starting_at(done):
                if done == num_steps:
                    break
                rate = learning_rate(done, num_steps, **schedule)
                state, metrics = step(state, key, np.float32(rate), globally(batch))
                done += 1
                log.add(metrics)
                if done % config.train.log_every_steps == 0 or done == num_steps:
                    progress.update(done, f"loss {log.write(done, rate):.4f}")
                manager.save(done, args=ocp.args.StandardSave(state), force=done == num_steps)
    return state["variables"]


def _checkpoints(path: Path, every: int) -> ocp.CheckpointManager:
    options = ocp.CheckpointManagerOptions(
        save_interval_steps=every,
        preservation_policy=ocp.checkpoint_managers.LatestN(2),
        create=True,
    )
    return ocp.CheckpointManager(path.absolute(), options=options)
