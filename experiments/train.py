"""The training loop: the same for every method, on one device or many, stopped and resumed.

The state of a model is `{"step", "variables", "opt_state"}`. Batches depend on the seed and the
step alone, so a run that is killed and started again goes on bit for bit as if it had not been.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from experiments.costs import Stopwatch
from experiments.feed import device_mesh, fits, put_frames, resident_calls, streamed_calls
from experiments.method import Batch, Variables
from experiments.progress import Progress
from experiments.steps import Optimizer, State, make_steps
from experiments.track import Member, Track, first_state


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
        Each member's trained variables, replicated over the devices: the last, or where it is
        watched the best. What does not learn by gradient has only its first.

    Raises:
        ConfigError: a loss is no longer finite.
    """
    settings = members[0].config.train
    if members[0].method.loss is None:
        return [first_state(member, device_mesh())["variables"] for member in members]
    if len(members) > 1 and not fits([m.batches for m in members], settings.resident_gb):
        return [variables for member in members for variables in train([member])]
    mesh = device_mesh()
    num_steps = [member.num_steps for member in members]
    with ExitStack() as stack:
        stopwatch = stack.enter_context(Stopwatch())
        tracks = [Track(member, mesh, stack) for member in members]
        done = [track.num_steps if track.is_over else track.done for track in tracks]
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
                _share(tracks, call, stopwatch.lap())
            for m in due:
                tracks[m].save(call.after[m], _member(state, m))
            if tracks[0].is_over:
                break
    return [track.chosen(_member(state, m)["variables"]) for m, track in enumerate(tracks)]


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


def _write(
    tracks: Sequence[Track],
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


def _share(tracks: Sequence[Track], call: Call, seconds: float) -> None:
    """Divides the time since the last checkpoint evenly among those that were trained in it.

    They are those that the last call trained: a checkpoint is due whenever one of them is done.
    """
    trained = [track for m, track in enumerate(tracks) if call.after[m] > call.first[m]]
    for track in trained:
        track.time.add(seconds / len(trained))


def _member(state: State, index: int) -> State:
    return jax.tree.map(lambda each: each[index], state)
