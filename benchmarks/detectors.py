"""How fast detectors of events listen, against DCASE 2017's baseline network.

    taskset -c 0 python -m benchmarks.detectors [--seconds 2] [--repeats 5] [--json]

Seconds of audio a second, from samples by way of the log-mel to what is said of every frame or
region; one clip of 30 s at a time, as a device would hear them. Beside it the parameters. In turns,
best turns; `taskset` keeps it to one core.
"""

import argparse
import json
import os
from collections.abc import Callable
from importlib import import_module

import jax
import numpy as np
import tensorflow as tf

from audio.logmel import LogMel, log_mel
from benchmarks.timing import in_turns, row
from experiments.costs import num_parameters
from experiments.detector_method import build

CONFIGS = ("rcrnn", "attention", "detection_baseline")
SECONDS = 30.0


def listener(name: str) -> tuple[Callable[[], object], int]:
    """What hears a clip once, and how many parameters it has."""
    config = import_module(f"configs.{name}").get_config()
    settings, detector = LogMel(**config.logmel.to_dict()), build(config)
    noise = np.random.default_rng(0).normal(0, 0.1, int(SECONDS * settings.sample_rate))
    samples, ones = noise.astype(np.float32), np.ones(settings.num_mels, np.float32)
    log_mels = tf.function(lambda signal: log_mel(signal, settings)[None])
    look = jax.jit(detector.look)

    def heard() -> dict[str, np.ndarray]:
        return {"x": log_mels(samples).numpy()}

    moments = {"mean": -40 * ones, "std": ones}
    variables = detector.method.init(jax.random.key(0), {**heard(), **moments})
    return lambda: jax.block_until_ready(look(variables, heard())), num_parameters(variables)


def measure(seconds: float, repeats: int) -> list[dict]:
    """Returns the parameters and the speed of each detector, and its multiple of the baseline's."""
    listeners = {name: listener(name) for name in CONFIGS}
    rates = in_turns({name: each for name, (each, _) in listeners.items()}, seconds, repeats)
    rows = []
    for name, turns in rates.items():
        rows += [
            row(name, "parameters", listeners[name][1], ""),
            row(name, "audio_s_per_s", SECONDS * max(turns), "s/s"),
            row(name, "ratio", max(turns) / max(rates[CONFIGS[-1]]), "x"),
        ]
    return rows


def main(arguments: list[str] | None = None) -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description="Seconds of audio heard a second.")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long a turn lasts at least")
    parser.add_argument("--repeats", type=int, default=5, help="turns of each detector")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    args = parser.parse_args(arguments)
    rows = measure(args.seconds, args.repeats)
    if args.json:
        print("\n".join(json.dumps(each) for each in rows))
        return
    print(f"seconds of audio a second, on {len(os.sched_getaffinity(0))} core(s)")
    for name in CONFIGS:
        size, rate, ratio = (each["value"] for each in rows if each["name"] == name)
        print(f"{name:20}{size:10,} parameters{rate:10,.0f} s/s{ratio:8.2f} x baseline")


if __name__ == "__main__":
    main()
