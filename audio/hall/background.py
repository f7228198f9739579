"""The factory a machine stands in: its rumble, its other machines and what happens far away."""

import numpy as np

from audio.hall.signals import (
    Modes,
    amplitude,
    bump,
    drift,
    harmonics,
    ring,
    roll_off,
    shaft_phase,
    shaped_noise,
    strikes,
    unit_rms,
)
from audio.hall.units import draw_partials, louder_or_softer, near


def factory(rng: np.random.Generator, num_samples: int, sample_rate: int) -> np.ndarray:
    """One clip of the hall without the machine, at an RMS of one.

    Args:
        rng: source of this moment in the hall.
        num_samples: length.
        sample_rate: in Hz.

    Returns:
        (num_samples,) signal.
    """
    size = (num_samples, sample_rate)
    air = _ventilation(rng, *size) * 10.0 ** (0.08 * drift(rng, *size, rate=0.7))
    others = louder_or_softer(rng, 4.0) * 0.35 * _neighbour(rng, *size)
    return unit_rms(air + others + _far_events(rng, *size))


def _ventilation(rng: np.random.Generator, num_samples: int, sample_rate: int) -> np.ndarray:
    corner, slope = near(rng, 250.0, 0.25), 6.0 + 0.7 * rng.standard_normal()
    hump, strength = near(rng, 1200.0, 0.4), 0.25 * louder_or_softer(rng, 4.0)

    def shape(freqs: np.ndarray) -> np.ndarray:
        return roll_off(freqs, corner, slope) + strength * bump(freqs, hump, 0.5)

    return shaped_noise(rng, num_samples, sample_rate, shape)


def _neighbour(rng: np.random.Generator, num_samples: int, sample_rate: int) -> np.ndarray:
    """Another machine down the hall, softened by the distance."""
    speed = near(rng, 60.0, 0.4) * (1.0 + 0.003 * drift(rng, num_samples, sample_rate, rate=1.0))
    phase = shaft_phase(speed, sample_rate, start=2.0 * np.pi * rng.random())
    return harmonics(phase, draw_partials(rng, 12, slope=6.0), sample_rate)


def _far_events(rng: np.random.Generator, num_samples: int, sample_rate: int) -> np.ndarray:
    """Dropped tools and slammed doors: now and then, reverberant, never quite the same."""
    seconds = num_samples / sample_rate
    total = np.zeros(num_samples)
    for _ in range(rng.poisson(0.25 * seconds)):
        freqs = np.sort(near(rng, 1100.0, 0.6) * rng.uniform(0.5, 2.0, 4))
        body = Modes(freqs, np.full(4, near(rng, 60.0, 0.5)), rng.uniform(0.2, 1.0, 4))
        time, height = rng.random(1) * seconds, 1.5 * amplitude(5.0 * rng.standard_normal())
        total += strikes(time, height, ring(body, sample_rate), num_samples, sample_rate)
    return total
