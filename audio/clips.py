"""What the house knows about a recording before it has heard it."""

from dataclasses import dataclass
from pathlib import Path

TRAIN, TEST = "train", "test"
NORMAL, ANOMALY = 0, 1


class DataError(ValueError):
    """The data cannot be used as it is; the message is one line that names what and the mend."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One recording of one machine.

    Attributes:
        machine: machine type, such as `fan`.
        id: the unit among its type, two digits such as `01`.
        split: `train` (normal clips only) or `test`.
        label: 0 normal, 1 anomaly, None where nobody has said.
        name: file name in the DCASE convention, unique within its machine and split,
            such as `anomaly_id_01_00000003.wav`.
        path: the file, or None where the clip lives in a prepared data set.
    """

    machine: str
    id: str
    split: str
    label: int | None
    name: str
    path: Path | None = None
