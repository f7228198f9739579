"""Timing things against one another: in turns, so that what slows the machine slows them all."""

import time
from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from typing import Any, TypeVar

STATUS = Path("/proc/self/status")

Name = TypeVar("Name", bound=Hashable)


def row(name: str, metric: str, value: float, unit: str) -> dict[str, Any]:
    """One figure, as `--json` prints it."""
    return {"name": name, "metric": metric, "value": value, "unit": unit}


def in_turns(
    ways: Mapping[Name, Callable[[], object]], seconds: float, repeats: int
) -> dict[Name, list[float]]:
    """Returns the calls a second of each way, one figure for every turn.

    Args:
        ways: what to call; each must return only when its work is done.
        seconds: how long a turn lasts; the call under way is finished.
        repeats: turns of each, after one call of each to warm up.
    """
    for way in ways.values():
        way()
    rates: dict[Name, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            rates[name].append(_calls_per_second(way, seconds))
    return rates


def _calls_per_second(way: Callable[[], object], seconds: float) -> float:
    start, calls, elapsed = time.perf_counter(), 0, 0.0
    while not calls or elapsed < seconds:
        way()
        calls += 1
        elapsed = time.perf_counter() - start
    return calls / elapsed


def memory(field: str) -> int:
    """Bytes this process holds, `VmRSS`, or has held at most, `VmHWM`. Linux only.

    Not `ru_maxrss`: a new process inherits that from the one that started it.
    """
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(field + ":"))
    return int(line.split()[1]) * 1024
