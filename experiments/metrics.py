"""`metrics.jsonl`: how training goes, line by line."""

import json
from pathlib import Path
from typing import Any

import jax
import numpy as np

from experiments.errors import ConfigError
from experiments.processes import is_main
from scoring.files import write_text


class MetricsLog:
    """The mean of each metric since the line before.

    Lines past the step a run resumes from are dropped, so that a killed run's log is in the end
    the same as an uninterrupted one's.
    """

    def __init__(self, path: Path, step: int, steps_per_epoch: int) -> None:
        self.path, self.steps_per_epoch = path, steps_per_epoch
        self.pending: list[dict[str, jax.Array]] = []
        lines = path.read_text().splitlines() if step and path.exists() else []
        rows = [json.loads(line) for line in lines]
        self.rows = [row for row in rows if row["step"] <= step]

    def add(self, metrics: dict[str, jax.Array]) -> None:
        """Keeps the metrics of some steps, (steps,) each; they may still be on their way."""
        self.pending.append(metrics)

    def write(self, step: int, rate: float) -> float:
        """Writes a line and returns its loss.

        Raises:
            ConfigError: the loss is not finite.
        """
        mean = {
            name: float(np.concatenate([metrics[name] for metrics in self.pending]).mean())
            for name in self.pending[0]
        }
        self.pending.clear()
        if not np.isfinite(mean["loss"]):
            raise ConfigError(
                f"the loss is {mean['loss']} at step {step}; lower train.learning_rate"
            )
        epoch = step / self.steps_per_epoch
        self.rows.append({"step": step, "epoch": epoch, "learning_rate": rate, **mean})
        if is_main():
            write_text(self.path, "".join(json.dumps(row) + "\n" for row in self.rows))
        return mean["loss"]


def read_metrics(workdir: Path) -> list[dict[str, Any]]:
    """The lines of a machine's `metrics.jsonl`."""
    return [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]
