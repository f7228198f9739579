"""What it costs to feed a training step: log-mels on the device, windows streamed, or nothing.

    python -m benchmarks.pipeline [--config gmade_idnn] [--clips 500] [--json]

`random` trains on the same windows over and over, which lie on the device already: what a step
costs by itself. `resident` and `streamed` are the two ways the project trains: log-mels that live
on the device and are gathered there, and windows that tf.data gathers on the host. All run the
project's own program, in turns, in one run.
"""

import argparse
import itertools
import json
import statistics
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.timing import in_turns, row
from benchmarks.training import first_state, get_config, made_up_members, program
from experiments.feed import device_mesh, put_frames, resident_calls, streamed_calls
from experiments.track import Member

FOREVER = 10**9  # steps: the schedule is of no matter here


def trainer(member: Member, fed: Iterator[Any], frames: Any) -> Callable[[], float]:
    """A function that runs the next call of a feed and returns its last loss."""
    mesh = device_mesh()
    num_steps = member.config.train.steps_per_call
    run = program(member, member.batches.windows.num_frames if frames is not None else None, mesh)
    state, keys = first_state([member], mesh), jnp.stack([member.keys[1]])

    def call() -> float:
        nonlocal state
        batches, count = next(fed), np.int32(num_steps)
        state, metrics = run(state, keys, np.array([FOREVER]), frames, batches, count)
        return float(metrics["loss"][-1, 0])

    return call


def ways(member: Member) -> dict[str, Callable[[], float]]:
    """Every way to feed it."""
    mesh, batches = device_mesh(), member.batches
    length = member.config.train.steps_per_call
    starts = itertools.count(0, length)
    resident = resident_calls([batches], ((first,) for first in starts), length, mesh)
    calls = range(0, 10_000 * length, length)
    streamed = streamed_calls(batches, calls, length, mesh)
    same = next(streamed_calls(batches, [0], length, mesh))
    return {
        "random": trainer(member, itertools.repeat(same), None),
        "resident": trainer(member, resident, put_frames([batches], mesh)),
        "streamed": trainer(member, streamed, None),
    }


def measure(config: Any, num_clips: int, seconds: float, repeats: int) -> list[dict[str, Any]]:
    """Milliseconds a step of each way, and how many times as long as `random` it is."""
    (member,) = made_up_members(config, 1, num_clips)
    rates = in_turns(ways(member), seconds, repeats)
    rows = []
    for name, each in rates.items():
        ratios = [base / rate for base, rate in zip(rates["random"], each, strict=True)]
        step_ms = 1e3 / max(each) / config.train.steps_per_call
        rows.append(row(name, "step_ms", step_ms, "ms"))
        rows.append(row(name, "ratio", statistics.median(ratios), "x"))
    return rows


def main(arguments: list[str] | None = None) -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description="What it costs to feed a training step.")
    parser.add_argument("--config", default="gmade_idnn", help="of configs/")
    parser.add_argument("--clips", type=int, default=500, help="ten-second clips, made up")
    parser.add_argument("--steps-per-call", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=3, help="a turn")
    parser.add_argument("--repeats", type=int, default=5, help="turns of each")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    args = parser.parse_args(arguments)
    config = get_config(args.config)
    config.train.steps_per_call = args.steps_per_call
    rows = measure(config, args.clips, args.seconds, args.repeats)
    if args.json:
        print("\n".join(map(json.dumps, rows)))
        return
    device = jax.devices()[0].device_kind
    print(f"{args.config}, batches of {config.train.batch_size}, {device}: best step, median ratio")
    for step_ms, ratio in zip(rows[::2], rows[1::2], strict=True):
        print(f"{step_ms['name']:12}{step_ms['value']:10.2f} ms{ratio['value']:9.2f}x")


if __name__ == "__main__":
    main()
