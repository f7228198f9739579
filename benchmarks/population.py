"""Models trained together as one program, against the same models one after another.

    python -m benchmarks.population [--config gmade_idnn] [--members 2,6] [--json]

Both ways make the same steps of the same models with the project's own program, in turns, in one
run; a ratio above one says that a population is faster.
"""

import argparse
import itertools
import json
import statistics
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.timing import in_turns, row
from benchmarks.training import first_state, get_config, made_up_members, program
from experiments.feed import device_mesh, put_frames, resident_calls
from experiments.track import Member

FOREVER = 10**9  # steps: the schedule is of no matter here


def trainer(members: list[Member]) -> Callable[[], float]:
    """A function that runs one call of all members together and returns their mean loss."""
    mesh, batches = device_mesh(), [member.batches for member in members]
    length = members[0].config.train.steps_per_call
    run = program(members[0], batches[0].windows.num_frames, mesh)
    state, frames = first_state(members, mesh), put_frames(batches, mesh)
    keys = jnp.stack([member.keys[1] for member in members])
    num_steps = np.full(len(members), FOREVER)
    firsts = ((first,) * len(members) for first in itertools.count(0, length))
    fed = resident_calls(batches, firsts, length, mesh)

    def call() -> float:
        nonlocal state
        state, metrics = run(state, keys, num_steps, frames, next(fed), np.int32(length))
        return float(metrics["loss"][-1].mean())

    return call


def one_by_one(members: list[Member]) -> Callable[[], float]:
    """As `trainer`, each member by itself."""
    alone = [trainer([member]) for member in members]
    return lambda: statistics.fmean(call() for call in alone)


def measure(
    config: Any, sizes: list[int], num_clips: int, seconds: float, repeats: int
) -> list[dict[str, Any]]:
    """Steps of one model a second, both ways, and the ratio, for populations of some sizes."""
    rows = []
    for size in sizes:
        members = made_up_members(config, size, num_clips)
        ways = {"alone": one_by_one(members), "together": trainer(members)}
        rates = in_turns(ways, seconds, repeats)
        steps = size * config.train.steps_per_call
        pairs = zip(rates["together"], rates["alone"], strict=True)
        ratio = statistics.median(together / alone for together, alone in pairs)
        for way, each in rates.items():
            rows.append(row(f"{way}_{size}", "steps_per_s", max(each) * steps, "step/s"))
        rows.append(row(f"together_{size}", "ratio", ratio, "x"))
    return rows


def main(arguments: list[str] | None = None) -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description="Models trained together, against one after another."
    )
    parser.add_argument("--config", default="gmade_idnn", help="of configs/")
    parser.add_argument("--members", default="2,6", help="sizes of populations")
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--clips", type=int, default=100, help="ten-second clips a member, made up")
    parser.add_argument("--steps-per-call", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=3, help="a turn")
    parser.add_argument("--repeats", type=int, default=5, help="turns of each")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    args = parser.parse_args(arguments)
    config = get_config(args.config)
    config.train.steps_per_call, config.train.batch_size = args.steps_per_call, args.batch
    sizes = [int(size) for size in args.members.split(",")]
    rows = measure(config, sizes, args.clips, args.seconds, args.repeats)
    if args.json:
        print("\n".join(map(json.dumps, rows)))
        return
    print(f"{args.config}, batches of {args.batch}, {jax.devices()[0].device_kind}")
    for row_ in rows:
        print(f"{row_['name']:14}{row_['metric']:>14}{row_['value']:10.2f} {row_['unit']}")


if __name__ == "__main__":
    main()
