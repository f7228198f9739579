"""What share of this device's arithmetic, and of its memory's rate, a training step makes use of.

    python -m benchmarks.roofline [--batch 512] [--repeats 5] [--json]

Forward, backward and Adam of the causal density and of the middle frame's alone, each with the
report's network and (`_wide`) with two layers of 512, measured in turns with what the device does
at its best:

- `matmul`: `jnp.dot` of two square matrices, float32; of several sizes the fastest.
- `copy`: 512 MB read and written once. In place, since most of what a copy into new memory takes is
  the mapping of that memory.

FLOPs of a step are those its masks ask for, and no others: two for every weight that may live and
every window, forward, then as many for the weight's gradient, and as many for that of the layer's
input, which the first layer needs none of. `needed_share` says how much of what is multiplied that
is. Bytes are what XLA says the compiled step accesses, all that each of its operations reads and
writes: as if there were no cache, so an upper estimate, whose share of `copy` may exceed one.
"""

import argparse
import json
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.contestants import (
    CAUSAL,
    MIDDLE,
    MIDDLE_LAST,
    NUM_MELS,
    STEPS,
    Task,
    adam,
    group_density,
    in_jax,
)
from benchmarks.timing import in_turns, row
from gmade.blocks import Block
from gmade.masks import distinct_views, head_mask, trunk_masks
from gmade.network import structure

NUM_COMPONENTS = 10
REPORT = (128, 128, 128, 128, 32, 128, 128, 128, 128)
WIDE = (512, 512)
MATMUL_SIZES = (512, 1024, 2048, 4096)
COPY_BYTES = 2**29


class Case(NamedTuple):
    """A density and the network it has."""

    order: np.ndarray
    targets: tuple[int, ...]
    hidden: tuple[int, ...]

    @property
    def adjacency(self) -> np.ndarray:
        """What each target frame may see."""
        return self.order[list(self.targets)]


ALL = tuple(range(len(CAUSAL)))
CASES = {
    "gmade_causal": Case(CAUSAL, ALL, REPORT),
    "gmade_idnn": Case(MIDDLE_LAST, MIDDLE, REPORT),
    "gmade_causal_wide": Case(CAUSAL, ALL, WIDE),
    "gmade_idnn_wide": Case(MIDDLE_LAST, MIDDLE, WIDE),
}


def needed_weights(case: Case) -> list[int]:
    """Weights of each layer that its mask lets live; however they are laid out."""
    views = distinct_views(case.adjacency, has_context=False)
    *_, width = case.hidden
    head = head_mask(views, width, case.adjacency).sum() * NUM_MELS
    trunk = [mask.sum() for mask in trunk_masks(views, NUM_MELS, case.hidden)]
    return [*map(int, trunk), int(head) * 3 * NUM_COMPONENTS]


def multiplied_weights(case: Case) -> list[int]:
    """Weights of each layer that are really multiplied: its blocks, what is masked in them too."""

    def size(blocks: list[Block]) -> int:
        return sum(block.prefix * len(block.columns) for block in blocks)

    net = structure(case.adjacency, NUM_MELS, case.hidden, num_contexts=0)
    return [*map(size, net.trunk), size(net.head) * 3 * NUM_COMPONENTS]


def step_flops(weights: list[int], batch_size: int) -> int:
    """FLOPs of the products of a step: forward, and two gradients, of which the first layer one."""
    return 2 * batch_size * (3 * sum(weights) - weights[0])


def step_bytes(case: Case, task: Task) -> float:
    """Bytes accessed by one compiled step, as XLA counts them."""
    density = group_density(task, case.order, case.targets)
    state, step = adam(density.init(jax.random.key(0)), density.loss)
    compiled = jax.jit(step, donate_argnums=0).lower(state, task.batches()[0]).compile()
    costs = compiled.cost_analysis()
    return float(costs["bytes accessed"]) if costs else float("nan")


def matmul(size: int) -> Callable[[], object]:
    """A product of two square matrices."""
    a = jnp.ones((size, size))
    dot = jax.jit(jnp.dot)
    return lambda: dot(a, a).block_until_ready()


def copy() -> Callable[[], object]:
    """One reading and writing of an array in place."""
    array = jnp.ones(COPY_BYTES // 4)
    negate = jax.jit(jnp.negative, donate_argnums=0)

    def way() -> None:
        nonlocal array
        array = negate(array).block_until_ready()

    return way


def training(case: Case, task: Task) -> Callable[[], object]:
    """`STEPS` steps."""
    density = group_density(task, case.order, case.targets)
    params = density.init(jax.random.key(0))
    return in_jax(params, density.loss, density.log_prob, task.batches()).train


def measure(batch_size: int, seconds: float, repeats: int) -> list[dict]:
    """Returns all rates, each of its best turn."""
    tasks = {name: Task(case.hidden, NUM_COMPONENTS, batch_size) for name, case in CASES.items()}
    ways: dict[str | int, Callable[[], object]] = {size: matmul(size) for size in MATMUL_SIZES}
    ways["copy"] = copy()
    ways |= {name: training(case, tasks[name]) for name, case in CASES.items()}
    calls = {way: max(rates) for way, rates in in_turns(ways, seconds, repeats).items()}

    most_flops = max(2 * size**3 * calls[size] for size in MATMUL_SIZES)
    most_bytes = 2 * COPY_BYTES * calls["copy"]
    rows = [
        row("matmul", "flops_per_s", most_flops, "FLOP/s"),
        row("copy", "bytes_per_s", most_bytes, "B/s"),
    ]
    for name, case in CASES.items():
        needed, multiplied = needed_weights(case), multiplied_weights(case)
        steps = STEPS * calls[name]
        flops = steps * step_flops(needed, batch_size)
        accessed = steps * step_bytes(case, tasks[name])
        rows += [
            row(name, "step_ms", 1e3 / steps, "ms"),
            row(name, "flops_per_s", flops, "FLOP/s"),
            row(name, "fraction_of_matmul", flops / most_flops, "1"),
            row(name, "bytes_per_s", accessed, "B/s"),
            row(name, "fraction_of_copy", accessed / most_bytes, "1"),
            row(name, "needed_share", sum(needed) / sum(multiplied), "1"),
        ]
    return rows


def print_table(rows: list[dict], title: str) -> None:
    """Prints one line a case."""
    print(title)
    print(
        f"{'':18}{'ms/step':>9}{'GFLOP/s':>10}{'/ matmul':>10}{'GB/s':>8}{'/ copy':>8}{'needed':>8}"
    )
    for name in dict.fromkeys(each["name"] for each in rows):
        value = {each["metric"]: each["value"] for each in rows if each["name"] == name}
        cells = [
            _cell(value, "step_ms", 9, 2),
            _cell(value, "flops_per_s", 10, 1, 1e9),
            _cell(value, "fraction_of_matmul", 10, 2),
            _cell(value, "bytes_per_s", 8, 1, 1e9),
            _cell(value, "fraction_of_copy", 8, 2),
            _cell(value, "needed_share", 8, 2),
        ]
        print(f"{name:18}{''.join(cells)}")


def _cell(value: dict[str, float], metric: str, width: int, digits: int, unit: float = 1.0) -> str:
    return f"{value[metric] / unit:{width}.{digits}f}" if metric in value else " " * width


def main(arguments: list[str] | None = None) -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description="A training step against what the device can do.")
    parser.add_argument("--batch", type=int, default=512, help="windows a step")
    parser.add_argument("--seconds", type=float, default=1.0, help="how long a turn lasts at least")
    parser.add_argument("--repeats", type=int, default=5, help="turns of each; the best counts")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    args = parser.parse_args(arguments)
    rows = measure(args.batch, args.seconds, args.repeats)
    if args.json:
        print("\n".join(json.dumps(each) for each in rows))
    else:
        device = jax.devices()[0].device_kind
        print_table(rows, f"a training step of {args.batch} windows, float32, on {device}")


if __name__ == "__main__":
    main()
