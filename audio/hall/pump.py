"""A water pump: a motor, an impeller whose vanes pass the outlet, and liquid on the move."""

from dataclasses import dataclass, replace

import numpy as np

from audio.hall.signals import (
    Modes,
    bump,
    drift,
    harmonics,
    ring,
    shaft_phase,
    shaped_noise,
    strikes,
    through_body,
)
from audio.hall.units import draw_modes, draw_partials, louder_or_softer, near


@dataclass(frozen=True)
class Pump:
    """A pump as it runs today. Levels are amplitudes, rates are in Hz.

    Attributes:
        shaft: revolutions per second.
        vanes: number of impeller vanes; they pass at `vanes * shaft`.
        shaft_partials: (k,) complex amplitudes of the tones at multiples of the shaft.
        vane_partials: (k,) complex amplitudes of the tones at multiples of the vane pass.
        vane_level: of the vane-pass tones together.
        flow_centre: where the liquid is loudest, Hz.
        flow_level: of the liquid.
        surge: depth of the slow swelling of the flow.
        casing: resonances of the housing and its pipes.
        bubbles: vapour bubbles that collapse in a second; a healthy pump has a few.
        bubble_height: of a typical collapse.
        grit: particles that strike the casing in a second; 0 in clean liquid.
        grit_height: of a typical strike.
        hiss: level of the jet from a leak; 0 when tight.
        hiss_centre: where that jet is loudest, Hz.
    """

    shaft: float
    vanes: int
    shaft_partials: np.ndarray
    vane_partials: np.ndarray
    vane_level: float
    flow_centre: float
    flow_level: float
    surge: float
    casing: Modes
    bubbles: float = 25.0
    bubble_height: float = 0.35
    grit: float = 0.0
    grit_height: float = 4.0
    hiss: float = 0.0
    hiss_centre: float = 5000.0


def unit(rng: np.random.Generator) -> Pump:
    """One pump of the hall, with its own impeller, motor and piping."""
    return Pump(
        shaft=rng.uniform(23.5, 24.8) * (2 if rng.random() < 0.5 else 1),  # 2 or 4 poles
        vanes=int(rng.integers(4, 8)),
        shaft_partials=draw_partials(rng, 16, slope=4.0),
        vane_partials=draw_partials(rng, 6, slope=5.0),
        vane_level=0.6 * louder_or_softer(rng, 2.0),
        flow_centre=near(rng, 700.0, 0.3),
        flow_level=0.8,
        surge=0.15,
        casing=draw_modes(rng, 6, 300.0, 6000.0, quality=18.0),
        hiss_centre=rng.uniform(4000.0, 6000.0),
    )


def vary(pump: Pump, rng: np.random.Generator) -> Pump:
    """The same pump in another clip: another head, another filling of the pipes."""
    return replace(
        pump,
        shaft=near(rng, pump.shaft, 0.006),
        vane_level=pump.vane_level * louder_or_softer(rng, 1.5),
        flow_level=pump.flow_level * louder_or_softer(rng, 1.5),
        flow_centre=near(rng, pump.flow_centre, 0.06),
        surge=near(rng, pump.surge, 0.3),
        bubbles=near(rng, pump.bubbles, 0.4),
    )


def sound(pump: Pump, rng: np.random.Generator, num_samples: int, sample_rate: int) -> np.ndarray:
    """One clip of the pump.

    Args:
        pump: the pump as it runs in this clip.
        rng: source of the liquid's noise and the starting angle.
        num_samples: length.
        sample_rate: in Hz.

    Returns:
        (num_samples,) signal.
    """
    size = (num_samples, sample_rate)
    speed = pump.shaft * (1.0 + 0.0015 * drift(rng, *size, rate=3.0))
    phase = shaft_phase(speed, sample_rate, start=2.0 * np.pi * rng.random())
    flow = shaped_noise(rng, *size, lambda f: bump(f, pump.flow_centre, 1.1))
    flow *= 1.0 + pump.surge * drift(rng, *size, rate=5.0)
    total = 0.5 * harmonics(phase, pump.shaft_partials, sample_rate)
    total += pump.vane_level * harmonics(pump.vanes * phase, pump.vane_partials, sample_rate)
    total += pump.flow_level * flow
    if pump.hiss > 0.0:
        total += pump.hiss * shaped_noise(rng, *size, lambda f: bump(f, pump.hiss_centre, 0.4))
    return through_body(total, pump.casing, sample_rate) + _impacts(pump, rng, *size)


def _impacts(
    pump: Pump, rng: np.random.Generator, num_samples: int, sample_rate: int
) -> np.ndarray:
    """Collapsing bubbles and striking grit, each at its own moment and of its own size."""
    seconds = num_samples / sample_rate
    kernel = ring(pump.casing, sample_rate)
    total = np.zeros(num_samples)
    for rate, height in ((pump.bubbles, pump.bubble_height), (pump.grit, pump.grit_height)):
        count = rng.poisson(rate * seconds)
        heights = height * rng.exponential(1.0, count) * rng.choice((-1.0, 1.0), count)
        times = seconds * rng.random(count)
        if count:
            total += strikes(times, heights, kernel, num_samples, sample_rate)
    return total


def leakage(pump: Pump, severity: float) -> Pump:
    """A leaking seal: a high jet of hiss, and less pressure at the vanes."""
    return replace(pump, hiss=0.15 * severity, vane_level=pump.vane_level * (1.0 - 0.3 * severity))


def contamination(pump: Pump, severity: float) -> Pump:
    """Grit in the liquid: hard particles strike the casing."""
    return replace(pump, grit=8.0 * severity)


def cavitation(pump: Pump, severity: float) -> Pump:
    """Low suction: many more bubbles collapse, and the flow boils."""
    return replace(
        pump,
        bubbles=pump.bubbles * (1.0 + 15.0 * severity),
        flow_centre=pump.flow_centre * (1.0 + 0.3 * severity),
    )


def clogging(pump: Pump, severity: float) -> Pump:
    """A blocked inlet: less flow, which surges, and a motor that runs a little faster."""
    return replace(
        pump,
        shaft=pump.shaft * (1.0 + 0.03 * severity),
        flow_level=pump.flow_level * (1.0 - 0.4 * severity),
        surge=pump.surge + 0.6 * severity,
    )


FAULTS = {
    "leakage": leakage,
    "contamination": contamination,
    "cavitation": cavitation,
    "clogging": clogging,
}
