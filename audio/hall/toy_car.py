"""A toy car on a test stand: a small DC motor, a pinion and a crown gear, and an axle."""

from dataclasses import dataclass, replace

import numpy as np

from audio.hall.signals import (
    Modes,
    drift,
    event_times,
    harmonics,
    ring,
    roll_off,
    shaft_phase,
    shaped_noise,
    strikes,
    through_body,
)
from audio.hall.units import draw_modes, draw_partials, louder_or_softer, near


@dataclass(frozen=True)
class ToyCar:
    """A car as it drives today. Levels are amplitudes, rates are in Hz.

    Attributes:
        motor: revolutions of the motor per second at cruising speed.
        commutator: pulses of current in one revolution; the whine's first partial.
        pinion: teeth of the motor's gear; they mesh at `pinion * motor`.
        ratio: revolutions of the motor for one of the axle.
        whine_partials: (k,) complex amplitudes of the commutator's tones.
        mesh_partials: (k,) complex amplitudes of the gears' tones.
        mesh_level: of the gears.
        friction_level: of the rubbing of shaft and wheels.
        body: resonances of the plastic body.
        surging: relative depth of the driver's speed changes.
        bend: depth of the swing once per turn of the axle; 0 for a straight shaft.
        broken_tooth: height of the knock once per turn of the axle; 0 for a whole gear.
        tangle: level of what is wound round the axle brushing the body; 0 when clear.
    """

    motor: float
    commutator: int
    pinion: int
    ratio: float
    whine_partials: np.ndarray
    mesh_partials: np.ndarray
    mesh_level: float
    friction_level: float
    body: Modes
    surging: float = 0.05
    bend: float = 0.02
    broken_tooth: float = 0.0
    tangle: float = 0.0


def unit(rng: np.random.Generator) -> ToyCar:
    """One car of the hall, with its own motor, gears and body."""
    return ToyCar(
        motor=rng.uniform(95.0, 145.0),
        commutator=6,
        pinion=int(rng.integers(8, 13)),
        ratio=rng.uniform(5.0, 9.0),
        whine_partials=draw_partials(rng, 8, slope=4.0),
        mesh_partials=draw_partials(rng, 5, slope=4.0),
        mesh_level=0.8 * louder_or_softer(rng, 2.0),
        friction_level=0.6 * louder_or_softer(rng, 1.5),
        body=draw_modes(rng, 6, 300.0, 6000.0),
    )


def vary(car: ToyCar, rng: np.random.Generator) -> ToyCar:
    """The same car in another clip: another charge of its battery."""
    return replace(
        car,
        motor=near(rng, car.motor, 0.012),
        mesh_level=car.mesh_level * louder_or_softer(rng, 1.5),
        friction_level=car.friction_level * louder_or_softer(rng, 1.0),
        surging=near(rng, car.surging, 0.3),
    )


def sound(car: ToyCar, rng: np.random.Generator, num_samples: int, sample_rate: int) -> np.ndarray:
    """One clip of the car, which speeds up and slows down as it is driven.

    Args:
        car: the car as it drives in this clip.
        rng: source of the driving, the friction and the starting angle.
        num_samples: length.
        sample_rate: in Hz.

    Returns:
        (num_samples,) signal.
    """
    size = (num_samples, sample_rate)
    pedal = np.tanh(drift(rng, *size, rate=1.2))
    speed = car.motor * (1.0 + car.surging * pedal + 0.002 * drift(rng, *size, rate=20.0))
    phase = shaft_phase(speed, sample_rate, start=2.0 * np.pi * rng.random())
    axle = phase / car.ratio
    whine = harmonics(car.commutator * phase, car.whine_partials, sample_rate)
    mesh = harmonics(car.pinion * phase, car.mesh_partials, sample_rate)
    friction = shaped_noise(rng, *size, lambda f: roll_off(f, 1500.0, 6.0))
    swing = 1.0 + car.bend * np.sin(axle)
    total = 0.6 * whine + swing * (car.mesh_level * mesh + car.friction_level * friction)
    if car.tangle > 0.0:  # brushes past once a turn
        brush = np.clip(np.sin(axle), 0.0, None) ** 4
        total += car.tangle * brush * shaped_noise(rng, *size, lambda f: f / (f + 2000.0))
    return through_body(total, car.body, sample_rate) + _knocks(car, axle, rng, sample_rate)


def _knocks(
    car: ToyCar, axle: np.ndarray, rng: np.random.Generator, sample_rate: int
) -> np.ndarray:
    """A gap in the gear: the mesh drops into it once in each turn of the axle."""
    if car.broken_tooth == 0.0:
        return np.zeros_like(axle)
    times = event_times(axle, sample_rate)
    heights = car.broken_tooth * (1.0 + 0.2 * rng.standard_normal(len(times)))
    return strikes(times, heights, ring(car.body, sample_rate), len(axle), sample_rate)


def bent_shaft(car: ToyCar, severity: float) -> ToyCar:
    """A bent axle: the gears press and part once in each turn."""
    return replace(car, bend=car.bend + 0.6 * severity)


def deformed_gear(car: ToyCar, severity: float) -> ToyCar:
    """A missing tooth: a knock once in each turn of the axle."""
    return replace(car, broken_tooth=12.0 * severity)


def tangled(car: ToyCar, severity: float) -> ToyCar:
    """Thread round the axle: it brushes the body and holds the car back."""
    return replace(car, tangle=1.2 * severity, motor=car.motor * (1.0 - 0.04 * severity))


def high_voltage(car: ToyCar, severity: float) -> ToyCar:
    """Too much voltage: everything turns faster."""
    return replace(car, motor=car.motor * (1.0 + 0.12 * severity))


def low_voltage(car: ToyCar, severity: float) -> ToyCar:
    """Too little voltage: everything turns slower."""
    return replace(car, motor=car.motor * (1.0 - 0.12 * severity))


FAULTS = {
    "bent_shaft": bent_shaft,
    "deformed_gear": deformed_gear,
    "tangled": tangled,
    "high_voltage": high_voltage,
    "low_voltage": low_voltage,
}
