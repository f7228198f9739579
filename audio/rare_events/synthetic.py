"""Events and backgrounds made up from NumPy alone, for those who have no recordings at hand.

Events: a baby's cries (gliding tones with formants), glass that shatters, shots with their echoes.
Backgrounds: the machine hall, and a street with horns, birds and footsteps, each of which has
something in common with an event.
"""

from collections.abc import Callable

import numpy as np

from audio.hall.background import factory
from audio.hall.signals import (
    Modes,
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
from audio.hall.units import louder_or_softer, near


def cry(rng: np.random.Generator, sample_rate: int) -> np.ndarray:
    """Two to five wails with a breath between each two, (samples,)."""
    pitch, formants = near(rng, 420.0, 0.15), near(rng, 1.0, 0.15) * np.array([1100, 3200, 5200])
    parts = []
    for _ in range(rng.integers(2, 6)):
        parts += [_wail(rng, pitch, formants, sample_rate), _silence(rng, 0.1, 0.35, sample_rate)]
    return np.concatenate(parts[:-1])


def _wail(
    rng: np.random.Generator, pitch: float, formants: np.ndarray, sample_rate: int
) -> np.ndarray:
    """One breath's cry: the voice rises, wavers and falls."""
    length = int(rng.uniform(0.35, 1.0) * sample_rate)
    time = np.linspace(0.0, 1.0, length)
    rise = near(rng, 1.25, 0.08)
    glide = np.interp(time, [0.0, 0.25, 0.75, 1.0], [1.0, rise, 0.98 * rise, 0.85])
    waver = 1.0 + 0.015 * np.sin(2 * np.pi * near(rng, 6.0, 0.2) * time * length / sample_rate)
    speed = pitch * near(rng, 1.0, 0.05) * glide * waver
    partials = np.arange(1, 25) * pitch * rise
    strengths = zip(formants, (1.0, 0.6, 0.3), strict=True)
    levels = 0.02 + np.sum([g * bump(partials, f, 0.45) for f, g in strengths], axis=0)
    voice = harmonics(shaft_phase(speed, sample_rate), levels, sample_rate)
    breath = shaped_noise(rng, length, sample_rate, lambda f: bump(f, formants[1], 0.8))
    envelope = np.interp(time, [0, 0.08, 0.7, 1], [0, 1, 0.8, 0])
    return envelope * (unit_rms(voice) + 0.1 * breath)


def shatter(rng: np.random.Generator, sample_rate: int) -> np.ndarray:
    """A pane that breaks: a burst, then splinters that ring and fall, (samples,)."""
    length = int(rng.uniform(0.6, 1.6) * sample_rate)
    time = np.arange(length) / sample_rate
    corner = near(rng, 3500.0, 0.2)
    burst = shaped_noise(rng, length, sample_rate, lambda f: bump(f, corner, 1.0))
    total = 2.0 * burst * np.exp(-time / near(rng, 0.05, 0.3))
    for _ in range(rng.integers(15, 45)):
        body = Modes(
            rng.uniform(2000, 7500, 3), near(rng, 150.0, 0.4) * np.ones(3), rng.uniform(0.3, 1, 3)
        )
        when = rng.exponential(0.3 * length / sample_rate, 1)
        height = 1.5 * rng.random() * np.exp(-when[0] / 0.5)
        total += strikes(when, height, ring(body, sample_rate), length, sample_rate)
    return total * np.minimum(1.0, 8.0 * (1.0 - time / time[-1]))


def shot(rng: np.random.Generator, sample_rate: int) -> np.ndarray:
    """A blast, its echoes off walls, and the reverberation they end in, (samples,)."""
    length = int(rng.uniform(0.5, 1.3) * sample_rate)
    time = np.arange(length) / sample_rate
    corner = near(rng, 900.0, 0.3)
    noise = shaped_noise(rng, length, sample_rate, lambda f: roll_off(f, corner, 5.0))
    blast = noise * np.exp(-time / near(rng, 0.02, 0.3))
    delays = np.cumsum(rng.uniform(0.03, 0.2, rng.integers(1, 5)))
    echoes = 0.4 * rng.random(len(delays)) * np.exp(-delays)
    heard = blast + strikes(delays, echoes, blast, length, sample_rate)
    tail = shaped_noise(rng, length, sample_rate, lambda f: roll_off(f, 0.5 * corner, 8.0))
    fading = 0.08 * tail * np.exp(-time / near(rng, 0.25, 0.3))
    return (heard + fading) * np.minimum(1.0, 8.0 * (1.0 - time / time[-1]))


def hall(rng: np.random.Generator, num_samples: int, sample_rate: int) -> np.ndarray:
    """The machine hall without a machine at hand: rumble, dropped tools, slammed doors."""
    return factory(rng, num_samples, sample_rate)


def street(rng: np.random.Generator, num_samples: int, sample_rate: int) -> np.ndarray:
    """Traffic, passing cars, horns, birds and footsteps, (num_samples,) at an RMS of one."""
    size = (num_samples, sample_rate)
    corner = near(rng, 350.0, 0.3)
    traffic = shaped_noise(rng, *size, lambda f: roll_off(f, corner, 5.0))
    total = traffic * 10.0 ** (0.1 * drift(rng, *size, rate=0.3))
    total += _passing_cars(rng, *size)
    for sound, per_second in ((_horn, 0.06), (_bird, 0.25), (_steps, 0.08)):
        for _ in range(rng.poisson(per_second * num_samples / sample_rate)):
            _add(total, louder_or_softer(rng, 4.0) * sound(rng, sample_rate), rng)
    return unit_rms(total)


def _passing_cars(rng: np.random.Generator, num_samples: int, sample_rate: int) -> np.ndarray:
    """Tyres that come near and go away."""
    time, total = np.arange(num_samples) / sample_rate, np.zeros(num_samples)
    for _ in range(rng.poisson(0.1 * time[-1])):
        centre = near(rng, 1000.0, 0.3)
        tyres = shaped_noise(rng, num_samples, sample_rate, lambda f, c=centre: bump(f, c, 1.2))
        nearness = np.exp(-0.5 * ((time - rng.random() * time[-1]) / rng.uniform(0.7, 2.5)) ** 2)
        total += louder_or_softer(rng, 3.0) * tyres * nearness
    return total


def _horn(rng: np.random.Generator, sample_rate: int) -> np.ndarray:
    """Two steady tones, a third apart."""
    length, pitch = int(rng.uniform(0.25, 1.2) * sample_rate), near(rng, 400.0, 0.1)
    levels = 1.0 / np.arange(1, 12)
    tones = [
        harmonics(shaft_phase(np.full(length, p), sample_rate), levels, sample_rate)
        for p in (pitch, 1.26 * pitch)
    ]
    edge = np.minimum(1.0, np.minimum(np.arange(length), np.arange(length)[::-1]) / 400)
    return edge * unit_rms(np.sum(tones, axis=0))


def _bird(rng: np.random.Generator, sample_rate: int) -> np.ndarray:
    """A few chirps that glide through the upper octaves."""
    chirps = []
    for _ in range(rng.integers(1, 6)):
        length = int(rng.uniform(0.05, 0.2) * sample_rate)
        speed = near(rng, 3200.0, 0.2) * np.linspace(1.0, near(rng, 1.0, 0.25), length)
        tone = np.sin(shaft_phase(np.minimum(speed, 0.45 * sample_rate), sample_rate))
        chirps += [tone * np.hanning(length), _silence(rng, 0.03, 0.2, sample_rate)]
    return np.concatenate(chirps)


def _steps(rng: np.random.Generator, sample_rate: int) -> np.ndarray:
    """Somebody walks by."""
    count, pace = rng.integers(4, 12), rng.uniform(0.45, 0.65)
    freqs = np.sort(near(rng, 500.0, 0.4) * rng.uniform(0.5, 4.0, 3))
    sole = ring(Modes(freqs, np.full(3, 8.0), np.ones(3)), sample_rate)
    times = pace * np.arange(count) + 0.02 * rng.standard_normal(count)
    heights = 1.2 * np.hanning(count + 2)[1:-1]
    return strikes(times, heights, sole, int(pace * count * sample_rate), sample_rate)


def _silence(rng: np.random.Generator, low: float, high: float, sample_rate: int) -> np.ndarray:
    return np.zeros(int(rng.uniform(low, high) * sample_rate))


def _add(total: np.ndarray, sound: np.ndarray, rng: np.random.Generator) -> None:
    """Adds a sound somewhere, in place."""
    first = rng.integers(max(len(total) - len(sound), 1))
    stop = min(first + len(sound), len(total))
    total[first:stop] += sound[: stop - first]


Rng = np.random.Generator
EVENTS: dict[str, Callable[[Rng, int], np.ndarray]] = {
    "cry": cry,
    "shatter": shatter,
    "shot": shot,
}
BEDS: dict[str, Callable[[Rng, int, int], np.ndarray]] = {"hall": hall, "street": street}
