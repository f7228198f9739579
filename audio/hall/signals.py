"""The sounds machines are made of: tones that follow a shaft, shaped noise, ringing strikes.

Throughout, `num_samples` is the clip's length, `sample_rate` is in Hz, a phase is in radians with
one value per sample, and a level is an amplitude, 1 being an RMS of one.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

HIGHEST_TONE = 0.48  # of the sample rate; partials above it are left out rather than aliased


class Modes(NamedTuple):
    """Resonances of a body: a casing, a rail, a valve's armature.

    Attributes:
        freqs: (m,) centre frequencies in Hz.
        quality: (m,) quality factors, centre over bandwidth.
        gains: (m,) amplitude at each centre, relative to the direct sound.
    """

    freqs: np.ndarray
    quality: np.ndarray
    gains: np.ndarray


def rms(signal: np.ndarray) -> float:
    """Root mean square of a signal of any shape."""
    return float(np.sqrt(np.mean(np.square(signal))))


def unit_rms(signal: np.ndarray) -> np.ndarray:
    """The signal at an RMS of one; silence stays silence."""
    return signal / max(rms(signal), 1e-12)


def amplitude(decibels: float) -> float:
    """The amplitude ratio of a level in dB."""
    return 10.0 ** (decibels / 20.0)


def drift(rng: np.random.Generator, num_samples: int, sample_rate: int, rate: float) -> np.ndarray:
    """A slow random wander about zero with a standard deviation near one.

    Args:
        rng: source of the wander.
        num_samples: length.
        sample_rate: in Hz.
        rate: how often the wander takes a new direction, in Hz.

    Returns:
        (num_samples,) piecewise linear wander.
    """
    seconds = np.arange(num_samples) / sample_rate
    knots = np.arange(int(num_samples / sample_rate * rate) + 2) / rate
    return np.interp(seconds, knots, rng.standard_normal(len(knots)))


def shaft_phase(speed: np.ndarray, sample_rate: int, start: float = 0.0) -> np.ndarray:
    """The angle of a shaft, the integral of its speed.

    Args:
        speed: (num_samples,) revolutions per second.
        sample_rate: in Hz.
        start: angle before the first sample, in radians.

    Returns:
        (num_samples,) angle in radians, growing without wrapping.
    """
    return start + 2.0 * np.pi * np.cumsum(speed) / sample_rate


def harmonics(phase: np.ndarray, levels: np.ndarray, sample_rate: int) -> np.ndarray:
    """Tones at whole multiples of a turning angle: sum over k of levels[k-1] * sin(k * phase).

    Args:
        phase: (num_samples,) angle in radians.
        levels: (num_partials,) amplitudes; complex ones also set the partials' phases.
        sample_rate: in Hz; partials which would alias are left out.

    Returns:
        (num_samples,) signal.
    """
    fastest = float(np.max(np.diff(phase), initial=1e-9)) * sample_rate / (2.0 * np.pi)
    audible = levels[: int(HIGHEST_TONE * sample_rate / fastest)]
    turn = np.exp(1j * phase)
    total = np.zeros_like(turn)
    for level in audible[::-1]:  # Horner: every multiple of the angle from the first
        total += level
        total *= turn
    return np.imag(total)


def event_times(phase: np.ndarray, sample_rate: int, per_turn: float = 1.0) -> np.ndarray:
    """When something fixed to a shaft comes round, `per_turn` times in each revolution.

    Returns:
        (num_events,) seconds.
    """
    step = 2.0 * np.pi / per_turn
    angles = step * np.arange(np.ceil(phase[0] / step), np.floor(phase[-1] / step) + 1)
    return np.interp(angles, phase, np.arange(len(phase)) / sample_rate)


def shaped_noise(
    rng: np.random.Generator,
    num_samples: int,
    sample_rate: int,
    shape: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    """Gaussian noise with a given amplitude spectrum, at an RMS of one.

    Args:
        rng: source of the noise.
        num_samples: length.
        sample_rate: in Hz.
        shape: amplitude at each frequency in Hz, elementwise; only its form matters.

    Returns:
        (num_samples,) signal.
    """
    freqs = np.fft.rfftfreq(num_samples, 1.0 / sample_rate)
    spectrum = rng.standard_normal(len(freqs)) + 1j * rng.standard_normal(len(freqs))
    spectrum *= shape(freqs)
    spectrum[0] = 0.0
    return unit_rms(np.fft.irfft(spectrum, num_samples))


def bump(freqs: np.ndarray, centre: float, octaves: float) -> np.ndarray:
    """A bell on the octave scale: 1 at `centre` (Hz), `octaves` its standard deviation."""
    distance = np.log2(np.maximum(freqs, 1.0) / centre)
    return np.exp(-0.5 * np.square(distance / octaves))


def roll_off(freqs: np.ndarray, corner: float, slope: float) -> np.ndarray:
    """Flat below `corner` (Hz), falling by `slope` dB per octave above it."""
    return (1.0 + np.square(freqs / corner)) ** (-slope / 12.04)


def through_body(signal: np.ndarray, modes: Modes, sample_rate: int) -> np.ndarray:
    """What is heard of a signal that also excites a body's modes.

    The filter is periodic in the clip: modes ring for milliseconds, so what wraps round is small.

    Returns:
        (num_samples,) the direct signal plus each mode's band-passed share.
    """
    freqs = np.maximum(np.fft.rfftfreq(len(signal), 1.0 / sample_rate), 1e-3)
    response = np.ones(len(freqs), complex)
    for freq, quality, gain in zip(*modes, strict=True):
        detuning = quality * (freqs / freq - freq / freqs)
        response += gain / (1.0 + 1j * detuning)
    return np.fft.irfft(np.fft.rfft(signal) * response, len(signal))


def ring(modes: Modes, sample_rate: int) -> np.ndarray:
    """How a body rings when struck once: its decaying modes, at a peak of one.

    Returns:
        (length,) signal; it ends where the slowest mode has fallen by 60 dB.
    """
    decays = np.pi * modes.freqs / modes.quality
    seconds = np.arange(int(6.9 / decays.min() * sample_rate) + 1) / sample_rate
    audible = modes.gains * (modes.freqs < HIGHEST_TONE * sample_rate)
    waves = np.sin(2.0 * np.pi * np.outer(modes.freqs, seconds))
    total = audible @ (waves * np.exp(-np.outer(decays, seconds)))
    return total / max(float(np.max(np.abs(total))), 1e-12)


def strikes(
    times: np.ndarray,
    heights: np.ndarray | float,
    kernel: np.ndarray,
    num_samples: int,
    sample_rate: int,
) -> np.ndarray:
    """The same sound started at many times and added up.

    Args:
        times: (num_events,) seconds; those outside the clip are not heard.
        heights: (num_events,) amplitude of each, or one for all.
        kernel: (length,) the sound of one.
        num_samples: length of the clip.
        sample_rate: in Hz.

    Returns:
        (num_samples,) signal.
    """
    total = np.zeros(num_samples + len(kernel))
    firsts = np.rint(np.asarray(times) * sample_rate).astype(int)
    for first, height in zip(firsts, np.broadcast_to(heights, firsts.shape), strict=True):
        if 0 <= first < num_samples:
            total[first : first + len(kernel)] += height * kernel
    return total[:num_samples]
