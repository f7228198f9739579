"""What can be chosen about a machine hall."""

import math
from dataclasses import dataclass, fields

from audio.clips import DataError
from audio.hall.machines import MACHINES

LOWEST_RATE = 8000  # Hz; below it most of what the machines do cannot be heard
SHORTEST = 1.0  # seconds; below it a slider does not reach its end
MOST_IDS = 100  # ids are two digits


@dataclass(frozen=True)
class HallSettings:
    """A machine hall; two halls of equal settings hold the same bytes.

    Attributes:
        machines: machine types, a selection from `audio.hall.machines.MACHINES`.
        num_ids: units of each type.
        num_train: normal training clips of each unit.
        num_normal: normal test clips of each unit.
        num_anomaly: anomalous test clips of each unit.
        seconds: length of a clip.
        sample_rate: in Hz.
        snr_db: mean level of the machines over the factory around them; units and clips differ.
        seed: another seed is another factory with other units.
    """

    machines: tuple[str, ...] = tuple(MACHINES)
    num_ids: int = 3
    num_train: int = 120
    num_normal: int = 25
    num_anomaly: int = 25
    seconds: float = 5.0
    sample_rate: int = 16000
    snr_db: float = 8.0
    seed: int = 0


def check(settings: HallSettings) -> None:
    """Raises DataError, in one line, for a hall that cannot be built."""
    known = ", ".join(MACHINES)
    unknown = [name for name in settings.machines if name not in MACHINES]
    if unknown:
        raise DataError(f"no machine called {', '.join(unknown)} in the hall; choose from {known}")
    if not settings.machines or len(set(settings.machines)) < len(settings.machines):
        raise DataError(f"the hall's machines must be one or more of {known}, each once")
    lowest = {"num_ids": 1, "num_train": 1, "num_normal": 0, "num_anomaly": 0, "seed": 0}
    lowest |= {"sample_rate": LOWEST_RATE, "seconds": SHORTEST, "snr_db": -60.0}
    highest = {"num_ids": MOST_IDS, "snr_db": 60.0}
    for field in fields(settings):
        if field.name not in lowest:
            continue
        value = getattr(settings, field.name)
        low, high = lowest[field.name], highest.get(field.name, math.inf)
        if not low <= value <= high or math.isinf(value):
            limits = f"at least {low}" if math.isinf(high) else f"from {low} to {high}"
            raise DataError(f"{field.name} of the machine hall is {value}; give it {limits}")
