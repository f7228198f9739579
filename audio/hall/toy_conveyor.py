"""A toy conveyor: a geared motor, a belt with a seam, and the rollers it runs over."""

from dataclasses import dataclass, replace

import numpy as np

from audio.hall.signals import (
    Modes,
    bump,
    drift,
    event_times,
    harmonics,
    ring,
    shaft_phase,
    shaped_noise,
    strikes,
    through_body,
)
from audio.hall.units import draw_modes, draw_partials, louder_or_softer, near


@dataclass(frozen=True)
class ToyConveyor:
    """A conveyor as it runs today. Levels are amplitudes, rates are in Hz.

    Attributes:
        motor: revolutions of the motor per second.
        belt: rounds of the belt per second.
        pulley: revolutions of the tail pulley for one round of the belt.
        motor_partials: (k,) complex amplitudes of the geared motor's tones.
        rumble_centre: where the rollers are loudest, Hz.
        rumble_level: of the rollers.
        seam_height: of the thump as the belt's seam passes a roller.
        frame: resonances of the plastic frame.
        metal: resonances of a small metal part.
        slip: share of the time in which the belt slips and chirps; 0 at the right tension.
        chirp: pitch of a slipping belt, Hz.
        flat_spot: height of the knock once per turn of the tail pulley; 0 when round.
        attached: height of the ticks of a metal object carried by the belt; 0 without one.
    """

    motor: float
    belt: float
    pulley: float
    motor_partials: np.ndarray
    rumble_centre: float
    rumble_level: float
    seam_height: float
    frame: Modes
    metal: Modes
    slip: float = 0.0
    chirp: float = 2500.0
    flat_spot: float = 0.0
    attached: float = 0.0


def unit(rng: np.random.Generator) -> ToyConveyor:
    """One conveyor of the hall, with its own motor, belt and frame."""
    return ToyConveyor(
        motor=rng.uniform(60.0, 110.0),
        belt=rng.uniform(0.7, 1.3),
        pulley=rng.uniform(5.0, 8.0),
        motor_partials=draw_partials(rng, 30, slope=3.0),
        rumble_centre=near(rng, 500.0, 0.3),
        rumble_level=0.8,
        seam_height=1.2 * louder_or_softer(rng, 2.0),
        frame=draw_modes(rng, 6, 200.0, 4000.0),
        metal=draw_modes(rng, 4, 3500.0, 7000.0, quality=60.0),
        chirp=rng.uniform(1800.0, 3500.0),
    )


def vary(conveyor: ToyConveyor, rng: np.random.Generator) -> ToyConveyor:
    """The same conveyor in another clip: another load on the belt."""
    return replace(
        conveyor,
        motor=near(rng, conveyor.motor, 0.01),
        belt=near(rng, conveyor.belt, 0.02),
        rumble_level=conveyor.rumble_level * louder_or_softer(rng, 1.5),
        rumble_centre=near(rng, conveyor.rumble_centre, 0.06),
        seam_height=conveyor.seam_height * louder_or_softer(rng, 2.0),
    )


def sound(
    conveyor: ToyConveyor, rng: np.random.Generator, num_samples: int, sample_rate: int
) -> np.ndarray:
    """One clip of the conveyor.

    Args:
        conveyor: the conveyor as it runs in this clip.
        rng: source of the rumble and the starting angles.
        num_samples: length.
        sample_rate: in Hz.

    Returns:
        (num_samples,) signal.
    """
    size = (num_samples, sample_rate)
    pace = 1.0 + 0.004 * drift(rng, *size, rate=3.0)
    motor = shaft_phase(conveyor.motor * pace, sample_rate, start=2.0 * np.pi * rng.random())
    belt = shaft_phase(conveyor.belt * pace, sample_rate, start=2.0 * np.pi * rng.random())
    rumble = shaped_noise(rng, *size, lambda f: bump(f, conveyor.rumble_centre, 1.1))
    rumble *= 1.0 + 0.25 * np.sin(conveyor.pulley * belt)  # rollers are never quite round
    total = harmonics(motor, conveyor.motor_partials, sample_rate)
    total += conveyor.rumble_level * rumble
    total += _slipping(conveyor, pace, rng, *size)
    heard = through_body(total, conveyor.frame, sample_rate)
    return heard + _knocks(conveyor, belt, rng, sample_rate)


def _knocks(
    conveyor: ToyConveyor, belt: np.ndarray, rng: np.random.Generator, sample_rate: int
) -> np.ndarray:
    """What comes round with the belt: its seam, a flat spot of the pulley, an object on it."""
    size = (len(belt), sample_rate)
    frame = ring(conveyor.frame, sample_rate)
    seam = event_times(belt, sample_rate)
    total = strikes(seam, conveyor.seam_height, frame, *size)
    if conveyor.flat_spot > 0.0:
        turns = event_times(belt, sample_rate, per_turn=conveyor.pulley)
        heights = conveyor.flat_spot * (1.0 + 0.2 * rng.standard_normal(len(turns)))
        total += strikes(turns, heights, frame, *size)
    if conveyor.attached > 0.0:
        ticks = event_times(belt + np.pi, sample_rate, per_turn=2.0)  # over and under
        heights = conveyor.attached * (1.0 + 0.2 * rng.standard_normal(len(ticks)))
        total += strikes(ticks, heights, ring(conveyor.metal, sample_rate), *size)
    return total


def _slipping(
    conveyor: ToyConveyor,
    pace: np.ndarray,
    rng: np.random.Generator,
    num_samples: int,
    sample_rate: int,
) -> np.ndarray:
    """A belt that loses its grip now and then, and chirps as it catches again."""
    if conveyor.slip == 0.0:
        return np.zeros(num_samples)
    grip = drift(rng, num_samples, sample_rate, rate=7.0)
    slipping = np.clip(grip - (1.5 - 1.5 * conveyor.slip), 0.0, 1.0)
    pitch = conveyor.chirp * pace * (1.0 + 0.1 * slipping)
    tone = harmonics(shaft_phase(pitch, sample_rate), np.array([1.0, 0.4]), sample_rate)
    return 0.5 * slipping * tone


def wrong_tension(conveyor: ToyConveyor, severity: float) -> ToyConveyor:
    """A slack belt: it slips, chirps, and falls behind the motor."""
    return replace(conveyor, slip=severity, belt=conveyor.belt * (1.0 - 0.05 * severity))


def tail_pulley_damage(conveyor: ToyConveyor, severity: float) -> ToyConveyor:
    """A flat spot on the tail pulley: a knock in each of its turns."""
    return replace(conveyor, flat_spot=6.0 * severity)


def metal_attached(conveyor: ToyConveyor, severity: float) -> ToyConveyor:
    """A metal object stuck to the belt: a bright tick as it goes over and under."""
    return replace(conveyor, attached=5.0 * severity)


def high_voltage(conveyor: ToyConveyor, severity: float) -> ToyConveyor:
    """Too much voltage: motor and belt run fast."""
    pace = 1.0 + 0.06 * severity
    return replace(conveyor, motor=conveyor.motor * pace, belt=conveyor.belt * pace)


FAULTS = {
    "wrong_tension": wrong_tension,
    "tail_pulley_damage": tail_pulley_damage,
    "metal_attached": metal_attached,
    "high_voltage": high_voltage,
}
