"""What an experiment costs, measured: seconds of fitting and scoring, parameters, hours of audio.

Fitting is what a person waits for: compiling, checkpoints and logs are in it, loading clips is not.
Scoring is measured once it has been compiled: it is told by the hour of audio, and with few clips
would otherwise say how long it takes to compile. Several processes work at once, and their wall
time counts once.
"""

import json
import math
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np

from experiments.data import Machine
from experiments.method import Variables
from experiments.processes import gather, is_main
from scoring.files import write_text

FILE = "train_seconds.jsonl"


class Stopwatch:
    """Adds up the wall time that is spent within it, in seconds."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __enter__(self) -> "Stopwatch":
        """Starts it."""
        self.started = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        """Stops it."""
        self.lap()

    def lap(self) -> float:
        """Seconds since it was started or last asked."""
        now = time.perf_counter()
        passed, self.started = now - self.started, now
        self.seconds += passed
        return passed


class TrainTime:
    """How long a model has been trained, over all stops: `train_seconds.jsonl`.

    A line is kept for every checkpoint, and written before it: a run that resumes from a checkpoint
    finds what it took to get there, and what was done after it, which is lost, does not count.

    Args:
        workdir: of the model.
        step: what it resumes from, 0 for its beginning.
    """

    def __init__(self, workdir: Path, step: int) -> None:
        self.path = workdir / FILE
        self.rows = [row for row in _read(self.path) if row["step"] <= step] if step else []
        # NaN: a checkpoint from before such times were kept.
        self.seconds = self.rows[-1]["seconds"] if self.rows else (math.nan if step else 0.0)

    def add(self, seconds: float) -> None:
        """Counts some more."""
        self.seconds += seconds

    def keep(self, step: int) -> None:
        """Writes the time at a step that is about to be kept."""
        self.rows.append({"step": step, "seconds": self.seconds})
        if is_main():
            write_text(self.path, "".join(json.dumps(row) + "\n" for row in self.rows))


def train_seconds(workdir: Path) -> float:
    """How long a model was trained, and those by which its settings were chosen (`choose.py`).

    NaN where one was but nobody took the time.
    """
    return sum(map(_train_seconds, (workdir, *workdir.glob("folds/*"))))


def _train_seconds(workdir: Path) -> float:
    rows = _read(workdir / FILE)
    if rows:
        return rows[-1]["seconds"]
    checkpoints = workdir / "checkpoints"
    return math.nan if checkpoints.is_dir() and any(checkpoints.iterdir()) else 0.0


def _read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def num_parameters(variables: Variables) -> int:
    """How many numbers the optimiser moves."""
    return sum(math.prod(each.shape) for each in jax.tree.leaves(variables["params"]))


def hours_of(machine: Machine, config: Any) -> float:
    """Hours of audio in a machine's good clips, over all processes: frames by their hop.

    Where clips came as embeddings, of those whose embedding was timed in this run.
    """
    if "embedding" in config:
        return float(gather(np.array(machine.embedding.hours)).sum())
    splits = (machine.train, machine.test)
    frames = gather(np.array(sum(len(split.mine.frames) for split in splits))).sum()
    return float(frames) * config.logmel.hop_length / config.logmel.sample_rate / 3600
