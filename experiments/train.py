"""The training loop: the same for every method, on one device or many, stopped and resumed.

The state of a model is `{"step", "variables", "opt_state"}`. Batches depend on the seed and the
step alone, so a run that is killed and started again goes on bit for bit as if it had not been.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
from jax.sharding import Mesh

from experiments.batches import Batches, moments
from experiments.feed import device_mesh, fits, put_frames, resident_calls, streamed_calls
from experiments.methods import Batch, Method, Variables
from experiments.metrics import MetricsLog
from experiments.progress import Progress
from experiments.steps import Optimizer, State, learning_rate, make_init, make_steps


@dataclass(frozen=True)
class Member:
    """One model to be trained.

    Attributes:
        name: what its progress is called.
        method: what it is; members that train together share its `loss`.
        batches: its training windows.
        config: the experiment.
        workdir: where `checkpoints/` and `metrics.jsonl` go.
    """

    name: str
    method: Method
    batches: Batches
    config: Any
    workdir: Path

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


class Call(NamedTuple):
    """A run of the training program: every member's step before and after it."""

    first: tuple[int, ...]
    after: tuple[int, ...]

    @property
    def count(self) -> int:
        """Steps of the program."""
        return max(b - a for a, b in zip(self.first, self.after, strict=True))


def plan_calls(
    done: Sequence[int], num_steps: Sequence[int], longest: int, every: int
) -> Iterator[Call]:
    """The calls that are left, each ending where any member's checkpoint is due."""
    first = tuple(done)
    while any(step < last for step, last in zip(first, num_steps, strict=True)):
        rooms = [
            min(longest, every - step % every, last - step)
            for step, last in zip(first, num_steps, strict=True)
            if step < last
        ]
        after = tuple(
            min(step + min(rooms), last) for step, last in zip(first, num_steps, strict=True)
        )
        yield Call(first, after)
        first = after


def train(members: Sequence[Member]) -> list[Variables]:
    """Trains models, or picks up where an earlier run was stopped.

    Args:
        members: one model, or several of one shape and of the same `train` settings, which are
            then one program, a population. Should their log-mels not fit on the device together,
            they are trained one after another.

    Returns:
        Each member's trained variables, replicated over the devices.

    Raises:
        ConfigError: a loss is no longer finite.
    """
    settings = members[0].config.train
    if len(members) > 1 and not fits([m.batches for m in members], settings.resident_gb):
        return [variables for member in members for variables in train([member])]
    mesh = device_mesh()
    num_steps = [member.num_steps for member in members]
    with ExitStack() as stack:
        tracks = [_Track(member, mesh, stack) for member in members]
        done = [track.done for track in tracks]
        plan = list(
            plan_calls(done, num_steps, settings.steps_per_call, settings.checkpoint_every_steps)
        )
        state = jax.tree.map(lambda *each: jnp.stack(each), *(track.state for track in tracks))
        keys = jnp.stack([member.keys[1] for member in members])
        steps, frames, fed = _program(members, plan, mesh)
        name = members[0].name if len(members) == 1 else f"{len(members)} machines"
        progress = stack.enter_context(Progress(name, sum(num_steps), done=sum(done)))
        late: list[tuple[Call, dict[str, jax.Array]]] = []
        for call, batches in zip(plan, fed, strict=True):
            state, metrics = steps(
                state, keys, np.asarray(num_steps), frames, batches, np.int32(call.count)
            )
            # Metrics are a call late, so that the device is at work while they are written.
            _write(tracks, progress, late)
            late = [(call, metrics)]
            due = [
                m for m, track in enumerate(tracks) if track.is_due(call.first[m], call.after[m])
            ]
            if due:
                _write(tracks, progress, late)
                late = []
            for m in due:
                tracks[m].save(call.after[m], _member(state, m))
    return [_member(state, m)["variables"] for m in range(len(members))]


def _program(
    members: Sequence[Member], plan: Sequence[Call], mesh: Mesh
) -> tuple[Any, jax.Array | None, Iterator[Batch]]:
    """The training program, the frames it gathers from, if it does, and what it is fed."""
    settings, batches = members[0].config.train, [member.batches for member in members]
    firsts, length = [call.first for call in plan], settings.steps_per_call
    if fits(batches, settings.resident_gb):
        num_frames, frames = batches[0].windows.num_frames, put_frames(batches, mesh)
        fed = resident_calls(batches, firsts, length, mesh)
    else:
        num_frames, frames = None, None
        fed = streamed_calls(batches[0], [first for (first,) in firsts], length, mesh)
    steps = make_steps(members[0].method.loss, num_frames, Optimizer.of(settings), mesh)
    return steps, frames, fed


class _Track:
    """A member's state as it was left, its checkpoints and its log."""

    def __init__(self, member: Member, mesh: Mesh, stack: ExitStack) -> None:
        self.num_steps = member.num_steps
        self.every = member.config.train.checkpoint_every_steps
        path = (member.workdir / "checkpoints").absolute()
        options = ocp.CheckpointManagerOptions(
            preservation_policy=ocp.checkpoint_managers.LatestN(2), create=True
        )
        self.manager = stack.enter_context(ocp.CheckpointManager(path, options=options))
        self.done = self.manager.latest_step() or 0
        frames = member.batches.windows.frames
        window = np.zeros((1, member.batches.windows.num_frames, frames.shape[1]), np.float32)
        init = make_init(member.method, Optimizer.of(member.config.train), mesh)
        self.state = init(
            member.keys[0], {"x": window, "id": np.zeros(1, np.int32), **moments(frames)}
        )
        if self.done:
            restore = ocp.args.StandardRestore(self.state)
            self.state = self.manager.restore(self.done, args=restore)
        self.log = member.log(self.done)

    def is_due(self, before: int, after: int) -> bool:
        """Whether a step that has just been reached is to be kept."""
        return after > before and (after % self.every == 0 or after == self.num_steps)

    def save(self, step: int, state: State) -> None:
        """Writes a checkpoint."""
        self.manager.save(step, args=ocp.args.StandardSave(state), force=True)


def _write(
    tracks: Sequence[_Track],
    progress: Progress,
    calls: Sequence[tuple[Call, dict[str, jax.Array]]],
) -> None:
    """Logs what some calls have measured, (steps, members) each."""
    for call, metrics in calls:
        host = {name: np.asarray(each) for name, each in metrics.items()}
        for m, track in enumerate(tracks):
            if length := call.after[m] - call.first[m]:
                track.log.add({name: each[:length, m] for name, each in host.items()})
        losses = [track.log.loss for track in tracks if not np.isnan(track.log.loss)]
        progress.update(sum(call.after), f"loss {np.mean(losses):.4f}" if losses else "")


def _member(state: State, index: int) -> State:
    return jax.tree.map(lambda each: each[index], state)
