"""The room that all of a stream is recorded in: its echoes, its noise and its microphone."""

from dataclasses import dataclass

import numpy as np

from audio.hall.signals import drift, roll_off, shaped_noise
from audio.hall.units import louder_or_softer, near
from audio.media_scenes.spectra import convolved, filtered

NUM_REFLECTIONS = 8
SPEED_OF_SOUND = 343.0  # m/s
SECONDS_BETWEEN = 9.0  # interruptions
INTERRUPTION_DB = (-30.0, -12.0)  # their levels, under full scale; speech has about -26 dB


@dataclass(frozen=True)
class Room:
    """A room with a microphone in it.

    Attributes:
        reverberation: seconds in which its sound falls by 60 dB.
        critical: distance at which reverberation is as loud as what comes straight, m.
        noise: amplitude of its noise.
        corner: above which its noise falls, Hz.
        muffle: above which the microphone, which may be under clothes, hears less, Hz.
        rumble: below which it hears less, Hz.
    """

    reverberation: float
    critical: float
    noise: float
    corner: float
    muffle: float
    rumble: float


def draw_room(rng: np.random.Generator, noise_db: float) -> Room:
    """A room at home or at work; its noise has a mean level under full scale."""
    reverberation = float(np.clip(near(rng, 0.4, 0.4), 0.15, 1.2))
    volume = near(rng, 60.0, 0.5)  # cubic metres
    return Room(
        reverberation=reverberation,
        critical=0.057 * float(np.sqrt(volume / reverberation)),
        noise=10 ** (noise_db / 20) * louder_or_softer(rng, 6.0),
        corner=near(rng, 400.0, 0.6),
        muffle=float(4500 * 2 ** rng.random()),
        rumble=float(40 * 2.5 ** rng.random()),
    )


def impulse_response(
    rng: np.random.Generator, room: Room, distance: float, sample_rate: int
) -> np.ndarray:
    """From a source so many metres away to the microphone, (length,), of an energy of one.

    What comes straight, a few early reflections, then noise that dies away exponentially. Energy
    that is reflected over that of the direct sound is the distance over the critical distance,
    squared.
    """
    seconds = np.arange(int(room.reverberation * sample_rate)) / sample_rate
    response = rng.standard_normal(len(seconds)) * 10 ** (-3 * seconds / room.reverberation)
    response *= 1 - np.exp(-seconds / 0.008)
    walls = distance / SPEED_OF_SOUND + rng.uniform(0.002, 0.03, NUM_REFLECTIONS)
    places = np.minimum((walls * sample_rate).astype(int), len(response) - 1)
    response[places] += 4 * rng.standard_normal(NUM_REFLECTIONS)
    response = filtered(response, sample_rate, lambda freqs: roll_off(freqs, 3000.0, 6.0))
    response *= distance / room.critical / np.sqrt(np.sum(np.square(response)))
    response[0] += 1.0
    return response / np.sqrt(np.sum(np.square(response)))


def heard_in(
    rng: np.random.Generator, room: Room, signal: np.ndarray, distance: float, sample_rate: int
) -> np.ndarray:
    """A source as it sounds so many metres away, at about the level it had."""
    return convolved(signal, impulse_response(rng, room, distance, sample_rate))


def interruptions(rng: np.random.Generator, num_samples: int, sample_rate: int) -> np.ndarray:
    """What drowns everything for some seconds, now and then: a tap, a fan, a car passing by."""
    seconds = num_samples / sample_rate
    total = np.zeros(num_samples)
    for _ in range(rng.poisson(seconds / SECONDS_BETWEEN)):
        # Tenths of a second, since transforms of lengths with large factors are slow.
        lasts = round(rng.uniform(2, 9), 1)
        corner, slope = near(rng, 800.0, 0.8), rng.uniform(2, 8)
        first = round(rng.uniform(-lasts, seconds) * sample_rate)
        length = round(lasts * sample_rate)
        noise = shaped_noise(
            rng, length, sample_rate, lambda freqs, c=corner, s=slope: roll_off(freqs, c, s)
        )
        swell = np.sin(np.pi * (np.arange(length) + 0.5) / length) ** rng.uniform(0.1, 1)
        loud = noise * swell * 10 ** (rng.uniform(*INTERRUPTION_DB) / 20)
        heard = slice(max(first, 0), min(first + length, num_samples))
        total[heard] += loud[heard.start - first : heard.stop - first]
    return total


def recorded(
    rng: np.random.Generator, room: Room, signal: np.ndarray, sample_rate: int
) -> np.ndarray:
    """What the microphone makes of all that is heard, with the room's own noise."""
    size = (len(signal), sample_rate)
    noise = shaped_noise(rng, *size, lambda freqs: 0.05 + roll_off(freqs, room.corner, 8.0))
    noise *= room.noise * 10 ** (0.15 * drift(rng, *size, rate=0.3))
    noise += interruptions(rng, *size)

    def microphone(freqs: np.ndarray) -> np.ndarray:
        high_pass = np.square(freqs) / (np.square(freqs) + room.rumble**2)
        return high_pass * roll_off(freqs, room.muffle, 9.0)

    return filtered(signal + noise, sample_rate, microphone)
