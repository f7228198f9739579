"""What models cost: how large they are, and how long they take to fit and to score.

Kept in `costs.csv` of a work directory, a line a machine, beside the scores that were paid for.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import ClassVar

from scoring.metrics import AVERAGE
from scoring.tables import write_csv


@dataclass(frozen=True)
class Cost:
    """What one machine's model costs.

    Attributes:
        machine: Machine type, or `average` over all.
        parameters: Numbers that its training moves.
        fit_seconds: Wall time until it was ready to score, compiling included; None where it is
            not known.
        score_seconds: Wall time in which its clips were scored, once the program was compiled.
        hours_scored: Audio in those clips, in hours.
    """

    CELLS: ClassVar = (
        "parameters",
        "fit_seconds",
        "score_seconds",
        "hours_scored",
        "score_seconds_per_hour",
    )

    machine: str
    parameters: int
    fit_seconds: float | None
    score_seconds: float
    hours_scored: float

    @property
    def score_seconds_per_hour(self) -> float | None:
        """Seconds to score an hour of audio; None where there was none."""
        return self.score_seconds / self.hours_scored if self.hours_scored else None

    @property
    def cells(self) -> tuple[object, ...]:
        """What tables say of it, under the heads `CELLS`."""
        return (
            self.parameters,
            self.fit_seconds,
            self.score_seconds,
            self.hours_scored,
            self.score_seconds_per_hour,
        )


def average(costs: Sequence[Cost]) -> Cost | None:
    """The mean over machines, None of none; an hour's seconds are those of all hours together."""
    if not costs:
        return None
    return Cost(
        AVERAGE,
        round(fmean(cost.parameters for cost in costs)),
        None if (total := fit_total(costs)) is None else total / len(costs),
        fmean(cost.score_seconds for cost in costs),
        fmean(cost.hours_scored for cost in costs),
    )


def fit_total(costs: Sequence[Cost]) -> float | None:
    """Seconds in which all models were fitted; None where any is not known."""
    known = [cost.fit_seconds for cost in costs if cost.fit_seconds is not None]
    return sum(known) if known and len(known) == len(costs) else None


def write_costs(path: Path | str, costs: Sequence[Cost]) -> Path:
    """Writes `costs.csv`; what is not known is an empty cell."""
    return write_csv(
        Path(path), ("machine", *Cost.CELLS), ((cost.machine, *cost.cells) for cost in costs)
    )


def read_costs(path: Path | str) -> list[Cost]:
    """Reads `costs.csv`; none where there is no such file, as in runs of earlier versions.

    Raises:
        ValueError: the file is not such a table; one line that names it.
    """
    path = Path(path)
    if not path.exists():
        return []
    try:
        lines = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline=""))
        return [_parse(line) for line in lines]
    except (KeyError, ValueError, TypeError) as error:
        raise ValueError(f"{path}: not a table of costs ({error!r}); delete it") from None


def _parse(line: dict[str, str]) -> Cost:
    fit = line["fit_seconds"]
    return Cost(
        line["machine"],
        int(line["parameters"]),
        float(fit) if fit else None,
        float(line["score_seconds"]),
        float(line["hours_scored"]),
    )


def duration(seconds: float | None) -> str:
    """`0.42 s`, `12 s`, `3 min 8 s`, `2 h 5 min`; a dash where it is not known."""
    if seconds is None:
        return "\N{EN DASH}"
    if seconds < 9.95:
        return f"{seconds:#.2g} s"
    if round(seconds) < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours:,} h {minutes} min"
