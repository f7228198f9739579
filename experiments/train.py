"""The training loop: the same for every method, on one device or many, stopped and resumed.

The state is `{"step", "variables", "opt_state"}`. Batches depend on the seed and the step alone,
so a run that is killed and started again goes on bit for bit as if it had not been.
"""

from collections.abc import Iterable
from functools import cache, partial
from itertools import islice
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
    counts = ("num_epochs", "batch_size", "steps_per_call", "log_every_steps")
    for name in (*counts, "checkpoint_every_steps"):
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
def make_steps(method: Method, max_grad_norm: float, mesh: Mesh) -> Any:
    """The state's initialiser and the jitted `(state, key, rates, batches) -> state, metrics`.

    Several steps are one program, a scan over batches stacked along a first axis: on a CPU the
    memory a step works in is then mapped once and not anew every step, and an
    accelerator waits for Python less often.
    """
    optimizer = optax.chain(optax.clip_by_global_norm(max_grad_norm), optax.scale_by_adam())
    everywhere = NamedSharding(mesh, PartitionSpec())

    @partial(jax.jit, out_shardings=everywhere)
    def init(key: jax.Array, batch: Batch) -> dict[str, Any]:
        variables = method.init(key, batch)
        opt_state = optimizer.init(variables["params"])
        return {"step": jnp.zeros((), jnp.int32), "variables": variables, "opt_state": opt_state}

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

    @partial(jax.jit, donate_argnums=0, out_shardings=everywhere)
    def steps(state: dict[str, Any], key: jax.Array, rates: jax.Array, batches: Batch) -> Any:
        return jax.lax.scan(lambda s, each: step(s, key, *each), state, (rates, batches))

    return init, steps


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
    mesh, settings = device_mesh(), config.train
    init_key, key = jax.random.split(jax.random.key(config.seed))
    num_steps = settings.num_epochs * batches.steps_per_epoch
    init, steps = make_steps(method, settings.max_grad_norm, mesh)
    window = np.zeros((1, batches.windows.num_frames, frames.shape[1]), np.float32)
    state = init(init_key, {"x": window, "id": np.zeros(1, np.int32), **moments(frames)})
    sharding = NamedSharding(mesh, PartitionSpec(None, "data"))

    with _checkpoints(workdir / "checkpoints") as manager:
        done = manager.latest_step() or 0
        if done:
            state = manager.restore(done, args=ocp.args.StandardRestore(state))
        log = MetricsLog(workdir / "metrics.jsonl", done, batches.steps_per_epoch)
        stream = batches.starting_at(done)
        with Progress(task, num_steps, done=done) as progress:
            while done < num_steps:
                before, done = done, min(done + settings.steps_per_call, num_steps)
                rates = [
                    learning_rate(i, num_steps, settings.learning_rate, settings.schedule)
                    for i in range(before, done)
                ]
                stacked = _stack(islice(stream, len(rates)), sharding)
                state, metrics = steps(state, key, np.asarray(rates, np.float32), stacked)
                log.add(metrics)
                if _passed(settings.log_every_steps, before, done) or done == num_steps:
                    progress.update(done, f"loss {log.write(done, rates[-1]):.4f}")
                if _passed(settings.checkpoint_every_steps, before, done) or done == num_steps:
                    manager.save(done, args=ocp.args.StandardSave(state), force=True)
    return state["variables"]


def _passed(every: int, before: int, done: int) -> bool:
    """Whether a multiple of `every` lies in (before, done]."""
    return before // every < done // every


def _stack(batches: Iterable[Batch], sharding: NamedSharding) -> Batch:
    """Batches along a new first axis, each divided among the devices of all processes."""
    listed = list(batches)
    return {
        name: jax.make_array_from_process_local_data(
            sharding, np.stack([np.asarray(batch[name]) for batch in listed])
        )
        for name in listed[0]
    }


def _checkpoints(path: Path) -> ocp.CheckpointManager:
    options = ocp.CheckpointManagerOptions(
        preservation_policy=ocp.checkpoint_managers.LatestN(2), create=True
    )
    return ocp.CheckpointManager(path.absolute(), options=options)
