"""How fast windows are trained on and scored: this project, the same done densely, and its peers.

    pip install -e ".[bench]"      # after a CPU build of torch: the usual one brings all of CUDA
    python -m benchmarks.density [--only NAME,NAME] [--hidden 512,512] [--no-memory] [--json]

Windows of five frames of 128 bins, made up, float32. All contestants are measured in one run, in
turns, after one call each to warm up; ratios are of the best turns, to nflows. Training is forward,
backward and Adam on batches that lie in memory; see `benchmarks.contestants` for what is one call,
and the docstring of each contestant for what it is made of. PyTorch is measured on the CPU, so set
JAX_PLATFORMS=cpu where JAX would find something else. Keep the machine idle.

The rows differ in what they model: `gmade_made`, nflows, zuko and flowjax are one model, every bin
given all before it; `gmade_causal` and `dense_oracle` another, every frame given those before it.
`gmade_idnn` models the middle frame alone. `gmade_gaussian` and numpyro have one Gaussian a bin,
and two hidden layers of 640 whatever the others have: numpyro's are no narrower than its input.

Peak memory is the most that a new process holds while it builds the contestant and trains for one
call: parameters, Adam's moments, the batches, the step itself. What it held after doing the same
with one window a batch and one Gaussian a bin is taken off: libraries and compilers. Linux only.
"""

import argparse
import importlib
import json
import os
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from statistics import median
from typing import NamedTuple

import jax

from benchmarks import contestants, peers
from benchmarks.contestants import STEPS, Contestant, Task
from benchmarks.timing import STATUS, in_turns, memory, row

REFERENCE = "nflows"
METRICS = {"train": "train_samples_per_s", "score": "score_samples_per_s"}


# The report's network without its bottleneck: nflows has hidden layers of one width.
HIDDEN = (128,) * 9
# Numpyro's are no narrower than its input.
GAUSSIAN_HIDDEN = (640, 640)


class Entry(NamedTuple):
    """How a contestant comes to be, the libraries it needs, and its own network if it has one."""

    build: Callable[[Task], Contestant]
    libraries: tuple[str, ...] = ()
    hidden: tuple[int, ...] = ()

    def __call__(self, task: Task) -> Contestant:
        """The contestant for a task."""
        return self.build(task._replace(hidden=self.hidden) if self.hidden else task)


ENTRIES = {
    "gmade_causal": Entry(contestants.gmade_causal),
    "gmade_idnn": Entry(contestants.gmade_idnn),
    "gmade_made": Entry(contestants.gmade_made),
    "dense_oracle": Entry(contestants.dense_oracle),
    "nflows": Entry(peers.nflows, ("torch", "nflows.nn.nde.made")),
    "zuko": Entry(peers.zuko, ("torch", "zuko")),
    "flowjax": Entry(peers.flowjax, ("flowjax", "flowjax.bijections")),
    "gmade_gaussian": Entry(contestants.gmade_gaussian, hidden=GAUSSIAN_HIDDEN),
    "numpyro": Entry(peers.numpyro, ("numpyro", "numpyro.nn"), GAUSSIAN_HIDDEN),
}


def build(names: list[str], task: Task) -> tuple[dict[str, Contestant], dict[str, str]]:
    """Returns the contestants that can run, and why the others cannot."""
    present, absent = {}, {}
    for name in names:
        try:
            _import_libraries(name)
            present[name] = ENTRIES[name](task)
        except ImportError as error:
            absent[name] = f"not installed ({error})"
        except ValueError as error:
            absent[name] = f"does not run with these sizes: {error}"
    return present, absent


def measure(present: dict[str, Contestant], task: Task, seconds: float, repeats: int) -> list[dict]:
    """Returns the samples a second of every contestant, of its best turn and its median one."""
    ways = {}
    for name, contestant in present.items():
        ways[name, "train"], ways[name, "score"] = contestant.train, contestant.score
    rows = []
    for (name, work), rates in in_turns(ways, seconds, repeats).items():
        samples = task.batch_size * (STEPS if work == "train" else 1)
        best, middle = samples * max(rates), samples * median(rates)
        rows += [
            row(name, METRICS[work], best, "sample/s"),
            row(name, f"{METRICS[work]}_median", middle, "sample/s"),
        ]
    return rows + [row(name, "params", c.num_params, "1") for name, c in present.items()]


def measure_memory(names: list[str], task: Task) -> list[dict]:
    """Returns the peak memory of every contestant, each in a new process."""
    rows = []
    for name in names:
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            rows.append(row(name, "peak_bytes", pool.submit(peak_bytes, name, task).result(), "B"))
    return rows


def peak_bytes(name: str, task: Task) -> int:
    """How much this process holds at most for a contestant that trains; see above."""
    _import_libraries(name)
    ENTRIES[name](task._replace(num_components=1, batch_size=1)).train()
    before = memory("VmRSS")
    ENTRIES[name](task).train()
    return memory("VmHWM") - before


def _import_libraries(name: str) -> None:
    for library in ENTRIES[name].libraries:
        importlib.import_module(library)


def print_table(rows: list[dict], title: str) -> None:
    """Prints one line a contestant."""
    values: dict[str, dict[str, float]] = {}
    for each in rows:
        values.setdefault(each["name"], {})[each["metric"]] = each["value"]
    print(f"{title}\n{'':16}{'train':>32}{'score':>32}{'peak':>10}{'params':>10}")
    columns = f"{'best':>10}{'median':>10}{'/ ' + REFERENCE:>12}"
    print(f"{'':16}{columns}{columns}{'MB':>10}{'million':>10}")
    for name, value in values.items():
        reference = values.get(REFERENCE, {})
        cells = [_rate_cells(value, reference, metric) for metric in METRICS.values()]
        peak = f"{value['peak_bytes'] / 1e6:.0f}" if "peak_bytes" in value else "-"
        print(f"{name:16}{''.join(cells)}{peak:>10}{value['params'] / 1e6:10.2f}")


def _rate_cells(value: dict[str, float], reference: dict[str, float], metric: str) -> str:
    ratio = f"{value[metric] / reference[metric]:.2f} x" if reference else "-"
    return f"{value[metric]:10.0f}{value[metric + '_median']:10.0f}{ratio:>12}"


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description="Windows trained on and scored a second, and the memory it takes.",
        epilog=f"Contestants: {', '.join(ENTRIES)}.",
    )
    add = parser.add_argument
    add("--only", type=_names, default=list(ENTRIES), help="contestants, with commas between")
    add("--hidden", type=_widths, default=HIDDEN, help="units of each hidden layer: 128,128")
    add("--components", type=int, default=10, help="Gaussians a bin")
    add("--batch", type=int, default=512, help="windows a step")
    add("--seconds", type=float, default=1.0, help="how long a turn lasts at least")
    add("--repeats", type=int, default=5, help="turns of each contestant")
    add("--no-memory", action="store_true", help="leave the peak memory out")
    add("--json", action="store_true", help="one JSON object a line")
    return parser.parse_args(arguments)


def _names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := set(names) - set(ENTRIES):
        raise argparse.ArgumentTypeError(f"no contestant {', '.join(sorted(unknown))}")
    return names


def _widths(text: str) -> tuple[int, ...]:
    return tuple(int(width) for width in text.split(","))


def main(arguments: list[str] | None = None) -> None:
    """Measures and prints."""
    args = parse(arguments)
    task = Task(args.hidden, args.components, args.batch)
    present, absent = build(args.only, task)
    for name, reason in absent.items():
        print(f"{name}: {reason}", file=sys.stderr)
    rows = measure(present, task, args.seconds, args.repeats)
    if not args.no_memory and STATUS.exists():
        rows += measure_memory(list(present), task)
    if args.json:
        print("\n".join(json.dumps(each) for each in rows))
    else:
        hidden = ", ".join(str(width) for width in task.hidden)
        print_table(
            rows,
            f"windows a second: hidden layers of {hidden} (one Gaussian a bin: 640, 640);\n"
            f"{task.num_components} Gaussians a bin; batches of {task.batch_size}; "
            f"JAX on {jax.default_backend()}, {os.cpu_count()} cores",
        )


if __name__ == "__main__":
    main()
