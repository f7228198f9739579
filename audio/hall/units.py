"""How one unit of a machine differs from the next, and one day from another."""

import numpy as np

from audio.hall.signals import Modes, amplitude


def near(rng: np.random.Generator, value: float, fraction: float) -> float:
    """A value scattered about `value` with a relative standard deviation of `fraction`."""
    return value * float(np.exp(fraction * rng.standard_normal()))


def louder_or_softer(rng: np.random.Generator, decibels: float) -> float:
    """An amplitude factor scattered about one with a standard deviation in dB."""
    return amplitude(decibels * float(rng.standard_normal()))


def draw_partials(rng: np.random.Generator, count: int, slope: float) -> np.ndarray:
    """The strengths of a tone's partials in one unit, together at an RMS of one.

    Args:
        rng: source of the unit's character.
        count: number of partials.
        slope: mean fall from partial to partial, in dB per octave; each scatters by 4 dB.

    Returns:
        (count,) complex amplitudes.
    """
    order = np.arange(1, count + 1)
    decibels = -slope * np.log2(order) + 4.0 * rng.standard_normal(count)
    levels = 10.0 ** (decibels / 20.0) * np.exp(2j * np.pi * rng.random(count))
    return levels / np.sqrt(0.5 * np.sum(np.abs(levels) ** 2))


def draw_modes(
    rng: np.random.Generator, count: int, low: float, high: float, quality: float = 12.0
) -> Modes:
    """A body's resonances: spread evenly over octaves from `low` to `high` Hz, then scattered.

    Args:
        rng: source of the unit's character.
        count: number of modes.
        low: lowest frequency, Hz.
        high: highest frequency, Hz.
        quality: mean quality factor.

    Returns:
        Modes with gains scattered by 4 dB about one.
    """
    places = (np.arange(count) + rng.random(count)) / count
    freqs = low * (high / low) ** places
    qualities = quality * np.exp(0.3 * rng.standard_normal(count))
    return Modes(freqs, qualities, 10.0 ** (4.0 * rng.standard_normal(count) / 20.0))
