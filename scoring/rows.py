"""One scored clip, and the file that holds them all: `scores.csv`.

A *unit* is one machine of one type, `(machine, id)`: every statistic in this room (AUC, mean and
deviation, threshold) is taken per unit, because two fans differ more than a fan and its fault.
"""

from __future__ import annotations

import csv
import io
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scoring.files import write_text

HEADER = ("machine", "id", "split", "name", "label", "score")
SPLITS = ("train", "test")

Unit = tuple[str, str]


@dataclass(frozen=True)
class ScoreRow:
    """One clip and how strange it is.

    Attributes:
        machine: Machine type, such as `fan`.
        id: Which fan, such as `00`; kept as text, so that its zeros survive.
        split: `train` (normal clips the model saw) or `test`.
        name: File name of the clip.
        label: 0 normal, 1 anomaly, None unknown.
        score: Higher is stranger; for a density, its negative log (nats), so it may be negative.

    Raises:
        ValueError: A field no later stage could use; the line names the clip and the mend.
    """

    machine: str
    id: str
    split: str
    name: str
    label: int | None
    score: float

    def __post_init__(self):
        for key in ("machine", "id"):
            value = getattr(self, key)
            # Both become parts of file names in the work directory.
            if not value or any(c in value for c in "/\\\0\r\n"):
                raise ValueError(f"{key} {value!r} of clip {self.name!r} cannot name a file")
        if self.split not in SPLITS:
            raise ValueError(f"split {self.split!r} of clip {self.name!r} is not train or test")
        if self.label not in (None, 0, 1):
            raise ValueError(f"label {self.label!r} of clip {self.name!r} is not 0, 1 or empty")
        if not math.isfinite(self.score):
            raise ValueError(
                f"score {self.score!r} of clip {self.name!r} is not finite: "
                "train again with a lower learning rate, or remove the clip"
            )

    @property
    def unit(self) -> Unit:
        """The machine this clip belongs to, `(machine, id)`."""
        return self.machine, self.id


def by_unit(rows: Iterable[ScoreRow], split: str | None = None) -> dict[Unit, list[ScoreRow]]:
    """Groups rows by (machine, id), units sorted, rows in their given order.

    Args:
        rows: Any rows.
        split: Keep only this split; None keeps both.
    """
    groups: dict[Unit, list[ScoreRow]] = defaultdict(list)
    for row in rows:
        if split in (None, row.split):
            groups[row.unit].append(row)
    return dict(sorted(groups.items()))


def scores_of(rows: Sequence[ScoreRow]) -> np.ndarray:
    """The scores of some rows, (n,) float64."""
    return np.array([row.score for row in rows], dtype=np.float64)


def labelled(rows: Iterable[ScoreRow]) -> tuple[np.ndarray, np.ndarray]:
    """Labels (n,) int and scores (n,) float64 of the test rows whose label is known."""
    known = [row for row in rows if row.split == "test" and row.label is not None]
    return np.array([row.label for row in known], dtype=int), scores_of(known)


def write_scores(path: Path | str, rows: Iterable[ScoreRow]) -> Path:
    """Writes `scores.csv`, whole or not at all.

    Scores are written by `repr` of a double: the shortest text that reads back to the same number.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    for row in rows:
        label = "" if row.label is None else int(row.label)
        writer.writerow(
            (row.machine, row.id, row.split, row.name, label, repr(float(row.score))),
        )
    return write_text(Path(path), text.getvalue())


def read_scores(path: Path | str) -> list[ScoreRow]:
    """Reads `scores.csv`.

    Raises:
        ValueError: The file is missing, is not text, or has a bad line; one line that names the
            file and, where there is one, the line.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file; score the clips first") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: cannot be read as text ({error.__class__.__name__})") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[ScoreRow] = []
    try:
        header = next(reader, None)
        if header is None or tuple(header) != HEADER:
            raise ValueError(f"the header must be {','.join(HEADER)}")
        rows.extend(_parse(fields) for fields in reader if fields)
    except (ValueError, csv.Error) as error:
        raise ValueError(f"{path}, line {max(reader.line_num, 1)}: {error}") from None
    return rows


def _parse(fields: list[str]) -> ScoreRow:
    """One line of `scores.csv` as a row."""
    if len(fields) != len(HEADER):
        raise ValueError(f"{len(fields)} fields where {len(HEADER)} are needed")
    machine, id_, split, name, label, score = fields
    if label not in ("", "0", "1"):
        raise ValueError(f"label {label!r} is not 0, 1 or empty")
    try:
        value = float(score)
    except ValueError:
        raise ValueError(f"score {score!r} is not a number") from None
    return ScoreRow(machine, id_, split, name, int(label) if label else None, value)
