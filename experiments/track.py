"""One model on its way: what it is, its state as it was left, its checkpoints, log and time."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
from jax.sharding import Mesh

from experiments.batches import Batches, moments, window_moments
from experiments.costs import TrainTime
from experiments.early_stopping import EarlyStopping
from experiments.feed import device_mesh
from experiments.method import Method, Variables
from experiments.metrics import MetricsLog
from experiments.steps import Optimizer, State, learning_rate, make_init


@dataclass(frozen=True)
class Member:
    """One model to be trained.

    Attributes:
        name: what its progress is called.
        method: what it is; members that train together share its `loss`.
        batches: its training windows.
        config: the experiment.
        workdir: where `checkpoints/`, `metrics.jsonl` and `train_seconds.jsonl` go.
        watch: where training may stop early, which is asked at every checkpoint. One that is
            watched trains alone.
    """

    name: str
    method: Method
    batches: Batches
    config: Any
    workdir: Path
    watch: EarlyStopping | None = None

    @property
    def num_steps(self) -> int:
        """Steps in all its epochs."""
        return self.config.train.num_epochs * self.batches.steps_per_epoch

    @property
    def keys(self) -> tuple[jax.Array, jax.Array]:
        """For its first weights, and for its training."""
        init_key, key = jax.random.split(jax.random.key(self.config.seed))
        return init_key, key

    def log(self, step: int) -> MetricsLog:
        """Its `metrics.jsonl`, as it was at a step."""
        train = self.config.train

        def rate(step: int) -> float:
            return float(learning_rate(step, self.num_steps, train.learning_rate, train.schedule))

        path, epoch = self.workdir / "metrics.jsonl", self.batches.steps_per_epoch
        return MetricsLog(path, step, self.num_steps, train.log_every_steps, epoch, rate)


class Track:
    """A member's state as it was left, its checkpoints, its log, and its time so far."""

    def __init__(self, member: Member, mesh: Mesh, stack: ExitStack) -> None:
        self.num_steps = member.num_steps
        self.every = member.config.train.checkpoint_every_steps
        path = (member.workdir / "checkpoints").absolute()
        options = ocp.CheckpointManagerOptions(
            preservation_policy=ocp.checkpoint_managers.LatestN(2), create=True
        )
        self.manager = stack.enter_context(ocp.CheckpointManager(path, options=options))
        self.done = self.manager.latest_step() or 0
        self.state = first_state(member, mesh)
        if self.done:
            restore = ocp.args.StandardRestore(self.state)
            self.state = self.manager.restore(self.done, args=restore)
        self.log = member.log(self.done)
        self.time = TrainTime(member.workdir, self.done)
        self.watch = member.watch
        if self.watch:
            self.watch.resume(self.done)

    @property
    def is_over(self) -> bool:
        """Whether it is to stop early."""
        return self.watch is not None and self.watch.is_over

    def is_due(self, before: int, after: int) -> bool:
        """Whether a step that has just been reached is to be kept."""
        return after > before and (after % self.every == 0 or after == self.num_steps)

    def save(self, step: int, state: State) -> None:
        """Writes a checkpoint, after a look at the held-out loss."""
        if self.watch:
            self.watch.look(step, state["variables"])
        self.time.keep(step)
        self.manager.save(step, args=ocp.args.StandardSave(state), force=True)

    def chosen(self, last: Variables) -> Variables:
        """The variables that training was for."""
        return self.watch.best(last) if self.watch else last


def restore(member: Member) -> tuple[int, Variables]:
    """What a model has learned so far, without training it.

    Returns:
        the steps it was trained for by its last checkpoint, 0 where there is none; and its
        variables after them, replicated over the devices.
    """
    state = first_state(member, device_mesh())
    path = (member.workdir / "checkpoints").absolute()
    if not path.is_dir():
        return 0, state["variables"]
    with ocp.CheckpointManager(path) as manager:
        done = manager.latest_step() or 0
        if done:
            state = manager.restore(done, args=ocp.args.StandardRestore(state))
    return done, state["variables"]


def first_state(member: Member, mesh: Mesh) -> State:
    """A model before its first step."""
    windows = member.batches.windows
    window = np.zeros((1, windows.num_frames, windows.frames.shape[1]), np.float32)
    batch = {"x": window, "id": np.zeros(1, np.int32), **moments(windows.frames)}
    if member.config.model.get("standardise") == "feature":
        batch |= window_moments(windows)
    init = make_init(member.method, Optimizer.of(member.config.train), mesh)
    return init(member.keys[0], batch)
