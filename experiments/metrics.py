"""`metrics.jsonl`: how training goes, line by line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from experiments.errors import ConfigError
from experiments.processes import is_main
from scoring.files import write_text


class MetricsLog:
    """The mean of each metric over every so many steps.

    Lines past the step a run resumes from are dropped, so that a killed run's log is in the end
    the same as an uninterrupted one's.

    Args:
        path: the file.
        step: the step training begins from.
        num_steps: its last step.
        every: steps in a line.
        steps_per_epoch: what makes an epoch of them.
        rate: the learning rate of a step.
    """

    def __init__(
        self,
        path: Path,
        step: int,
        num_steps: int,
        every: int,
        steps_per_epoch: int,
        rate: Callable[[int], float],
    ) -> None:
        self.path, self.step, self.num_steps, self.every = path, step, num_steps, every
        self.steps_per_epoch, self.rate = steps_per_epoch, rate
        lines = path.read_text().splitlines() if step and path.exists() else []
        rows = [json.loads(line) for line in lines]
        self.rows = [row for row in rows if row["step"] <= step]
        self.pending: list[dict[str, np.ndarray]] = []
        self.loss = float("nan")

    def add(self, metrics: dict[str, np.ndarray]) -> None:
        """Takes the metrics of the next steps, (steps,) each, and writes what lines they fill.

        Raises:
            ConfigError: the loss is not finite.
        """
        taken, length = 0, len(next(iter(metrics.values())))
        while taken < length:
            room = min(self.every - self.step % self.every, self.num_steps - self.step)
            part = {name: each[taken : taken + room] for name, each in metrics.items()}
            self.pending.append(part)
            taken += len(next(iter(part.values())))
            self.step += len(next(iter(part.values())))
            if self.step % self.every == 0 or self.step == self.num_steps:
                self._line()

    def _line(self) -> None:
        mean = {
            name: float(np.concatenate([part[name] for part in self.pending]).mean())
            for name in self.pending[0]
        }
        self.pending.clear()
        self.loss = mean["loss"]
        if not np.isfinite(self.loss):
            raise ConfigError(
                f"the loss is {self.loss} at step {self.step}; lower train.learning_rate"
            )
        epoch, rate = self.step / self.steps_per_epoch, self.rate(self.step - 1)
        self.rows.append({"step": self.step, "epoch": epoch, "learning_rate": rate, **mean})
        if is_main():
            write_text(self.path, "".join(json.dumps(row) + "\n" for row in self.rows))


def read_metrics(workdir: Path) -> list[dict[str, Any]]:
    """The lines of a machine's `metrics.jsonl`; none where it stopped before the first was due."""
    path = workdir / "metrics.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return [json.loads(line) for line in lines]
