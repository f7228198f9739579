"""Early stopping: a loss on held-out data is watched, and the best of the variables are kept."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import orbax.checkpoint as ocp

from experiments.errors import ConfigError
from experiments.method import Variables
from scoring.files import write_text


class EarlyStopping:
    """Looks at a held-out loss whenever a checkpoint is due, and says when to stop.

    `valid.jsonl` has a line for every look, `best/` the variables of the best. Both are as they
    would be without a kill when a killed run goes on.

    Args:
        loss: of variables, on held-out data.
        patience: looks without a better loss, after which training stops.
        workdir: where its files go.
    """

    def __init__(self, loss: Callable[[Variables], float], patience: int, workdir: Path) -> None:
        self.loss, self.patience = loss, patience
        self.log, self.best_path = workdir / "valid.jsonl", (workdir / "best").absolute()
        self.rows: list[dict[str, float]] = []

    def resume(self, step: int) -> None:
        """Goes on from the looks at this step and before."""
        lines = self.log.read_text().splitlines() if step and self.log.exists() else []
        self.rows = [row for row in map(json.loads, lines) if row["step"] <= step]

    @property
    def best_look(self) -> int:
        """Which look was the best, the first of equals."""
        return int(np.argmin([row["loss"] for row in self.rows]))

    @property
    def is_over(self) -> bool:
        """Whether it is time to stop."""
        return bool(self.rows) and len(self.rows) - 1 - self.best_look >= self.patience

    def look(self, step: int, variables: Variables) -> None:
        """Takes the held-out loss at a step, and keeps the variables if it is the lowest.

        Raises:
            ConfigError: the loss is not finite.
        """
        loss = self.loss(variables)
        if not np.isfinite(loss):
            raise ConfigError(f"the held-out loss is {loss} at step {step}")
        self.rows.append({"step": step, "loss": loss})
        if self.best_look == len(self.rows) - 1:
            with ocp.StandardCheckpointer() as checkpointer:
                checkpointer.save(self.best_path, variables, force=True)
        write_text(self.log, "".join(json.dumps(row) + "\n" for row in self.rows))

    def best(self, like: Variables) -> Variables:
        """The best variables, in the shape of others."""
        with ocp.StandardCheckpointer() as checkpointer:
            return checkpointer.restore(self.best_path, like)
