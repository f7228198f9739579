"""One recording: a machine, as it runs today, in the middle of its factory."""

import zlib
from typing import Any, NamedTuple

import numpy as np

from audio.clips import ANOMALY, TEST, DataError
from audio.hall.background import factory
from audio.hall.machines import MACHINES
from audio.hall.settings import HallSettings
from audio.hall.signals import amplitude, unit_rms
from audio.hall.units import louder_or_softer

SEVERITIES = ((0.25, 0.5, 0.75), (0.25, 0.5, 1.0), (0.5, 1.0, 1.0))  # watched well, or less so
LEVEL = 0.02  # RMS of a typical recording's machine, leaving 34 dB of headroom for its clicks
CEILING = 0.9  # a recordist turns down what would clip
NEARNESS = 4.0  # dB by which the best and worst placed microphones differ from the mean
UNIT_STREAM, PLACE_STREAM, CLIP_STREAM = 1, 2, 3


class Take(NamedTuple):
    """Which recording: the machine type, the unit's number, the split, the label, the count."""

    machine: str
    unit_id: int
    split: str
    label: int
    index: int


def unit_of(machine: str, unit_id: int, seed: int) -> Any:
    """The healthy parameters of one unit of the hall, as the machine's own dataclass."""
    return MACHINES[machine].unit(_stream(seed, UNIT_STREAM, machine, unit_id))


def nearness_of(machine: str, unit_id: int, seed: int) -> float:
    """How far a unit's microphone is above (or below) the hall's mean SNR, in dB.

    Some microphones hang over their machine and some stand in the aisle, so some units are easier
    than others. Neighbouring ids are spread apart; ids together average to the mean.
    """
    first = _stream(seed, PLACE_STREAM, machine, 0).random()
    return NEARNESS * (2.0 * ((first + 0.618 * unit_id) % 1.0) - 1.0)


def _stream(seed: int, purpose: int, machine: str, *rest: int) -> np.random.Generator:
    """Random numbers for one purpose: the same for the same words, whoever else has drawn."""
    return np.random.default_rng([seed, purpose, zlib.crc32(machine.encode()), *rest])


def fault_of(take: Take) -> tuple[str | None, float]:
    """What is wrong in a recording of the hall: a fault's name and severity, or None and 0.

    A unit's anomalous recordings go through the faults in turn and, more slowly, the severities.
    Units differ in how far their faults had gone when somebody came with a microphone.
    """
    if take.label != ANOMALY:
        return None, 0.0
    names = list(MACHINES[take.machine].faults)
    rounds, turn = divmod(take.index, len(names))
    stages = SEVERITIES[(zlib.crc32(take.machine.encode()) + take.unit_id) % len(SEVERITIES)]
    return names[turn], stages[rounds % len(stages)]


def parts(
    take: Take, settings: HallSettings, fault: str | None = None, severity: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """A recording before it is mixed; see `synthesise` for the arguments.

    Returns:
        The machine and the factory around it, each (num_samples,) float64, levels as recorded.
    """
    machine = MACHINES[take.machine]
    if fault is not None and fault not in machine.faults:
        known = ", ".join(machine.faults)
        raise DataError(f"a {take.machine} has no fault called {fault}; choose from {known}")
    clip = (take.unit_id, int(take.split == TEST), take.label, take.index)
    streams = _stream(settings.seed, CLIP_STREAM, take.machine, *clip).spawn(4)
    today, running, hall, desk = streams
    unit = machine.vary(unit_of(take.machine, take.unit_id, settings.seed), today)
    if fault is not None:
        unit = machine.faults[fault](unit, severity)
    num_samples = round(settings.seconds * settings.sample_rate)
    sound = unit_rms(machine.sound(unit, running, num_samples, settings.sample_rate))
    around = factory(hall, num_samples, settings.sample_rate)
    snr = settings.snr_db + nearness_of(take.machine, take.unit_id, settings.seed)
    around *= amplitude(-snr) * louder_or_softer(desk, 1.5)
    gain = LEVEL * louder_or_softer(desk, 2.0)
    return gain * sound, gain * around


def synthesise(
    take: Take, settings: HallSettings, fault: str | None = None, severity: float = 0.0
) -> np.ndarray:
    """One recording of the hall, the same whenever and wherever it is asked for.

    It depends on the seed, the take, the length, rate and SNR, the fault and its severity, and on
    nothing else. The machine's level does not tell a fault: recordings are levelled afterwards.

    Args:
        take: which recording.
        settings: the hall.
        fault: a name from the machine's faults, or None for a healthy machine.
        severity: from 0, no fault at all, to 1.

    Returns:
        (num_samples,) float32 within -1 and 1.

    Raises:
        DataError: the machine has no such fault.
    """
    machine, around = parts(take, settings, fault, severity)
    mixed = machine + around
    peak = float(np.max(np.abs(mixed)))
    return (mixed * min(1.0, CEILING / max(peak, 1e-12))).astype(np.float32)
