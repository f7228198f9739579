"""An industrial fan: blades beating the air, the air itself, and the motor that drives them."""

from dataclasses import dataclass, replace

import numpy as np

from audio.hall.signals import (
    Modes,
    bump,
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
class Fan:
    """A fan as it turns today. Levels are amplitudes, rates are in Hz.

    Attributes:
        shaft: revolutions per second.
        blades: number of blades; they pass at `blades * shaft`.
        blade_partials: (k,) complex amplitudes of the blade-pass tone and its multiples.
        blade_level: of those tones together.
        flow_corner: where the turbulent flow's spectrum begins to fall, Hz.
        flow_level: of the flow.
        hum_level: of the motor's hum at twice the mains frequency.
        casing: resonances of the fan's casing.
        seat: resonances of the bearing's seat.
        unsteadiness: relative wander of the speed.
        imbalance: depth of the once-per-revolution swing; a balanced fan has a little.
        bearing_ratio: ball passes over the outer race in one revolution (BPFO / shaft).
        bearing: height of the click at each pass; 0 in a sound bearing.
        rush: level of the extra high flow noise of a choked inlet; 0 when clear.
    """

    shaft: float
    blades: int
    blade_partials: np.ndarray
    blade_level: float
    flow_corner: float
    flow_level: float
    hum_level: float
    casing: Modes
    seat: Modes
    unsteadiness: float = 0.003
    imbalance: float = 0.04
    bearing_ratio: float = 3.58
    bearing: float = 0.0
    rush: float = 0.0


def unit(rng: np.random.Generator) -> Fan:
    """One fan of the hall, with its own blades, speed and housing."""
    return Fan(
        shaft=rng.uniform(19.0, 29.0),
        blades=int(rng.integers(5, 10)),
        blade_partials=draw_partials(rng, 8, slope=5.0),
        blade_level=0.7 * louder_or_softer(rng, 2.0),
        flow_corner=near(rng, 700.0, 0.3),
        flow_level=1.0,
        hum_level=0.25 * louder_or_softer(rng, 4.0),
        casing=draw_modes(rng, 5, 250.0, 4500.0),
        seat=draw_modes(rng, 2, 2000.0, 5000.0, quality=20.0),
        bearing_ratio=rng.uniform(3.0, 4.2),
    )


def vary(fan: Fan, rng: np.random.Generator) -> Fan:
    """The same fan in another clip: the load, the air and the mains are never quite the same."""
    return replace(
        fan,
        shaft=near(rng, fan.shaft, 0.016),
        blade_level=fan.blade_level * louder_or_softer(rng, 1.5),
        flow_corner=near(rng, fan.flow_corner, 0.06),
        flow_level=fan.flow_level * louder_or_softer(rng, 1.0),
        hum_level=fan.hum_level * louder_or_softer(rng, 2.0),
        imbalance=near(rng, fan.imbalance, 0.3),
    )


def sound(fan: Fan, rng: np.random.Generator, num_samples: int, sample_rate: int) -> np.ndarray:
    """One clip of the fan.

    Args:
        fan: the fan as it turns in this clip.
        rng: source of the turbulence and the starting angle.
        num_samples: length.
        sample_rate: in Hz.

    Returns:
        (num_samples,) signal.
    """
    size = (num_samples, sample_rate)
    speed = fan.shaft * (1.0 + fan.unsteadiness * drift(rng, *size, rate=2.0))
    phase = shaft_phase(speed, sample_rate, start=2.0 * np.pi * rng.random())
    blades = harmonics(fan.blades * phase, fan.blade_partials, sample_rate)
    flow = shaped_noise(rng, *size, lambda f: roll_off(f, fan.flow_corner, 7.0))
    mains = shaft_phase(np.full(num_samples, 100.0), sample_rate)
    swing = 1.0 + fan.imbalance * np.sin(phase)
    total = swing * (fan.blade_level * blades + fan.flow_level * flow)
    total += fan.hum_level * harmonics(mains, np.array([1.0, 0.4, 0.2]), sample_rate)
    total += fan.imbalance * harmonics(phase, np.array([1.0, 0.3]), sample_rate)
    if fan.rush > 0.0:
        total += fan.rush * shaped_noise(rng, *size, lambda f: bump(f, 3.0 * fan.flow_corner, 0.6))
    heard = through_body(total, fan.casing, sample_rate)
    return heard + _bearing(fan, phase, rng, sample_rate)


def _bearing(fan: Fan, phase: np.ndarray, rng: np.random.Generator, sample_rate: int) -> np.ndarray:
    """Balls rolling over a spall: clicks that slip by 1 % and ring in its seat."""
    if fan.bearing == 0.0:
        return np.zeros_like(phase)
    times = event_times(phase, sample_rate, per_turn=fan.bearing_ratio)
    times = times + 0.01 / (fan.bearing_ratio * fan.shaft) * rng.standard_normal(len(times))
    heights = fan.bearing * (1.0 + 0.3 * rng.standard_normal(len(times)))
    return strikes(times, heights, ring(fan.seat, sample_rate), len(phase), sample_rate)


def imbalance(fan: Fan, severity: float) -> Fan:
    """Dirt or a lost weight on one blade: the whole sound swings once per revolution."""
    return replace(fan, imbalance=fan.imbalance + 0.5 * severity)


def worn_bearing(fan: Fan, severity: float) -> Fan:
    """A spall on the outer race: a click at each ball pass."""
    return replace(fan, bearing=1.2 * severity)


def clogging(fan: Fan, severity: float) -> Fan:
    """A choked inlet: the fan unloads and spins up, the flow stalls and rushes at its edges."""
    return replace(
        fan,
        shaft=fan.shaft * (1.0 + 0.02 * severity),
        flow_corner=fan.flow_corner * (1.0 - 0.3 * severity),
        rush=0.8 * severity,
    )


def voltage_drop(fan: Fan, severity: float) -> Fan:
    """Low voltage: slower, with weaker and more wandering blade tones."""
    return replace(
        fan,
        shaft=fan.shaft * (1.0 - 0.05 * severity),
        blade_level=fan.blade_level * (1.0 - 0.3 * severity),
        unsteadiness=fan.unsteadiness * (1.0 + 2.0 * severity),
    )


FAULTS = {
    "imbalance": imbalance,
    "worn_bearing": worn_bearing,
    "clogging": clogging,
    "voltage_drop": voltage_drop,
}
