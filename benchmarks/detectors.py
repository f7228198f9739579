"""How fast detectors listen on one core, against DCASE 2017's baseline network.

    taskset -c 0 python -m benchmarks.detectors

Seconds of audio a second, from log-mels to what is said of every frame or region, best of several
turns; beside it the parameters. One clip of 30 s at a time, as a device would hear them.
"""

import argparse
import os
import time
from importlib import import_module

import jax
import numpy as np

from experiments.costs import num_parameters
from experiments.detector_method import build

CONFIGS = ("rcrnn", "attention", "detection_baseline")
SECONDS = 30.0


def main() -> None:
    """Prints a line for each detector."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=20, help="of which the fastest counts")
    turns = parser.parse_args().turns
    rates = {name: measure(name, turns) for name in CONFIGS}
    print(f"{len(os.sched_getaffinity(0))} core(s)")
    baseline = rates[CONFIGS[-1]][1]
    for name, (size, rate) in rates.items():
        print(f"{name:20} {size:8,} parameters  {rate:8,.0f} s/s  {rate / baseline:.3f}x baseline")


def measure(name: str, turns: int) -> tuple[int, float]:
    """Parameters, and seconds of audio that are heard a second."""
    config = import_module(f"configs.{name}").get_config()
    logmel, detector = config.logmel, build(config)
    num_frames = 1 + int(SECONDS * logmel.sample_rate) // logmel.hop_length
    x = np.random.default_rng(0).normal(-40, 10, (1, num_frames, logmel.num_mels))
    ones = np.ones(logmel.num_mels, np.float32)
    batch = {"x": x.astype(np.float32)}
    variables = detector.method.init(jax.random.key(0), {**batch, "mean": -40 * ones, "std": ones})
    look = jax.jit(detector.look)
    jax.block_until_ready(look(variables, batch))
    best = float("inf")
    for _ in range(turns):
        started = time.perf_counter()
        jax.block_until_ready(look(variables, batch))
        best = min(best, time.perf_counter() - started)
    return num_parameters(variables), SECONDS / best


if __name__ == "__main__":
    main()
