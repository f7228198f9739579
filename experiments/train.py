"""The training loop: the same for every method, on one device or many, stopped and resumed.

The state is `{"step", "variables", "opt_state"}`. Batches depend on the seed and the step alone,
so a run that is killed and started again goes on bit for bit as if it had not been.
"""

import json
import time
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import orbax.checkpoint as ocp
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from audio.windows import Windows
from experiments.errors import ConfigError
from experiments.methods import Batch, Method, Variables
from experiments.processes import gather, is_main
from experiments.progress import Progress
from experiments.workdir import write_text

# A bin that never changes (a band above the recording's bandwidth) still gets a scale, in dB.
MIN_STD = 0.1
# Frames summed at a time, so that doubles of a large data set are never all alive.
CHUNK = 65536


def device_mesh() -> Mesh:
    """All devices of all processes, in a row along `data`."""
    return jax.make_mesh((jax.device_count(),), ("data",), axis_types=(AxisType.Auto,))


def moments(frames: np.ndarray) -> dict[str, np.ndarray]:
    """Mean and standard deviation of each mel bin over the training frames of all processes."""
    sums = np.zeros((3, frames.shape[1]))
    for start in range(0, len(frames), CHUNK):
        x = frames[start : start + CHUNK].astype(np.float64)
        sums += np.stack([np.full(x.shape[1], len(x)), x.sum(0), np.square(x).sum(0)])
    count, total, squares = gather(sums).sum(0)
    mean = total / count
    std = np.sqrt(np.maximum(squares / count - mean**2, 0))
    return {"mean": mean.astype(np.float32), "std": np.maximum(std, MIN_STD).astype(np.float32)}


class Batches:
    """Shuffled windows, a fresh permutation an epoch, equally many on every process.

    Args:
        windows: this process's share of the training windows.
        ids: (num_clips,) the id of each clip, as an index.
        batch_size: windows in a batch over all processes.
        seed: of the permutations.

    Raises:
        ConfigError: the batch cannot be divided among the devices.
    """

    def __init__(self, windows: Windows, ids: np.ndarray, batch_size: int, seed: int) -> None:
        if batch_size % jax.device_count():
            raise ConfigError(
                f"train.batch_size={batch_size} must be a multiple of the {jax.device_count()} "
                "devices"
            )
        self.windows, self.ids = windows, ids.astype(np.int32)
        self.local_size = batch_size // jax.process_count()
        self.seed = seed
        fewest = int(gather(np.array(len(windows))).min())
        self.steps_per_epoch = max(1, fewest // self.local_size)

    def starting_at(self, step: int) -> Iterator[Batch]:
        """Batches from a step on, without end."""
        epoch, position = divmod(step, self.steps_per_epoch)
        while True:
            rng = np.random.default_rng([self.seed, epoch, jax.process_index()])
            order = np.resize(rng.permutation(len(self.windows)), self._epoch_size())
            for chosen in order.reshape(self.steps_per_epoch, -1)[position:]:
                yield self._batch(chosen)
            epoch, position = epoch + 1, 0

    def _epoch_size(self) -> int:
        return self.steps_per_epoch * self.local_size

    def _batch(self, chosen: np.ndarray) -> Batch:
        return {"x": self.windows.gather(chosen), "id": self.ids[self.windows.clip[chosen]]}


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
    mesh, key = device_mesh(), jax.random.key(config.seed)
    sharded = NamedSharding(mesh, PartitionSpec("data"))
    num_steps = config.train.num_epochs * batches.steps_per_epoch
    schedule = {"peak": config.train.learning_rate, "schedule": config.train.schedule}
    init, step = make_step(method, config.train.max_grad_norm, mesh)
    window = np.zeros((1, batches.windows.num_frames, frames.shape[1]), np.float32)
    state = init(key, {"x": window, "id": np.zeros(1, np.int32), **moments(frames)})

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


class MetricsLog:
    """`metrics.jsonl`: the mean of each metric since the line before.

    Lines past the step a run resumes from are dropped, so that a killed run's log is in the end
    the same as an uninterrupted one's.
    """

    def __init__(self, path: Path, step: int, steps_per_epoch: int) -> None:
        self.path, self.steps_per_epoch = path, steps_per_epoch
        self.pending: list[dict[str, jax.Array]] = []
        self.started = time.monotonic()
        rows = [json.loads(line) for line in path.read_text().splitlines()] if step else []
        self.rows = [row for row in rows if row["step"] <= step]

    def add(self, metrics: dict[str, jax.Array]) -> None:
        """Keeps a step's metrics; they may still be on their way."""
        self.pending.append(metrics)

    def write(self, step: int, rate: float) -> float:
        """Writes a line and returns its loss.

        Raises:
            ConfigError: the loss is not finite.
        """
        mean = {
            name: float(np.mean([float(metrics[name]) for metrics in self.pending]))
            for name in self.pending[0]
        }
        self.pending.clear()
        if not np.isfinite(mean["loss"]):
            raise ConfigError(
                f"the loss is {mean['loss']} at step {step}; lower train.learning_rate"
            )
        epoch = step / self.steps_per_epoch
        self.rows.append({"step": step, "epoch": epoch, "learning_rate": rate, **mean})
        if is_main():
            write_text(self.path, "".join(json.dumps(row) + "\n" for row in self.rows))
        return mean["loss"]
