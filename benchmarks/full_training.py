"""How long a whole training takes: by default Group MADE on a data set of DCASE 2020's size.

    python -m benchmarks.full_training [--machines 6] [--clips 3334] [--epochs 100] [--json]

Clips are made up: six machine types, about 20,000 clips of 309 windows. Everything a run does
between log-mels and trained models is counted: compiling, putting log-mels on the device, training
(as one population, or with `--population never` one machine after another), logs and checkpoints.
Meant for an accelerator; on a CPU try --machines 2 --clips 100 --epochs 2.
"""

import argparse
import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax

from benchmarks.timing import row
from benchmarks.training import get_config, made_up_members
from experiments.population import CHOICES, populations
from experiments.train import train


def measure(config: Any, num_machines: int, num_clips: int) -> list[dict[str, Any]]:
    """Seconds of a whole training, and windows trained on a second."""
    members = made_up_members(config, num_machines, num_clips)
    windows = sum(member.num_steps for member in members) * config.train.batch_size
    with tempfile.TemporaryDirectory() as folder:
        placed = [replace(member, workdir=Path(folder) / member.name) for member in members]
        start = time.perf_counter()
        for together in populations(placed, config.train.population):
            jax.block_until_ready(train(together))
        seconds = time.perf_counter() - start
    return [
        row("full_training", "seconds", seconds, "s"),
        row("full_training", "train_samples_per_s", windows / seconds, "sample/s"),
    ]


def main(arguments: list[str] | None = None) -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description="How long a whole training takes.")
    parser.add_argument("--config", default="gmade_idnn", help="of configs/")
    parser.add_argument("--machines", type=int, default=6)
    parser.add_argument("--clips", type=int, default=3334, help="ten-second clips a machine")
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--steps-per-call", type=int, default=500)
    parser.add_argument("--population", choices=CHOICES, default="auto")
    parser.add_argument("--precision", default="float32", help="or bfloat16")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    args = parser.parse_args(arguments)
    config = get_config(args.config)
    config.model.precision = args.precision
    config.train.update(
        num_epochs=args.epochs,
        batch_size=args.batch,
        steps_per_call=args.steps_per_call,
        log_every_steps=args.steps_per_call,
        checkpoint_every_steps=10**9,
        population=args.population,
    )
    rows = measure(config, args.machines, args.clips)
    if args.json:
        print("\n".join(map(json.dumps, rows)))
        return
    print(f"{args.config}, {args.machines} machines x {args.clips} clips, {args.epochs} epochs")
    for each in rows:
        print(f"{each['metric']:24}{each['value']:14.1f} {each['unit']}")


if __name__ == "__main__":
    main()
