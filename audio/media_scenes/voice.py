"""Somebody who talks: glottal pulses through a moving vocal tract, syllable by syllable.

No words, but what a detector of media hears of speech: a wandering pitch, vowels that glide into
each other, fricatives, the rhythm of syllables and phrases, and pauses. Fant's source and filter
(1960), with formants of vowels after Peterson and Barney (1952).
"""

from dataclasses import dataclass

import numpy as np

from audio.hall.signals import bump
from audio.hall.units import near
from audio.media_scenes.spectra import HOP, frequencies, num_frames, signal_of, spectra

# The first three formants of a man's vowels, Hz; the fourth and fifth stay.
VOWELS = np.array(
    [
        (270, 2290, 3010),
        (390, 1990, 2550),
        (530, 1840, 2480),
        (660, 1720, 2410),
        (730, 1090, 2440),
        (570, 840, 2410),
        (440, 1020, 2240),
        (300, 870, 2240),
        (640, 1190, 2390),
        (490, 1350, 1690),
    ],
    float,
)
HIGHER = (3500.0, 4500.0)
BANDWIDTHS = (80.0, 100.0, 140.0, 200.0, 260.0)
# After so many phrases nothing is said for a longer while, seconds.
LISTENING_SHARE, LISTENING = 0.15, (2.0, 7.0)


@dataclass(frozen=True)
class Voice:
    """A speaker.

    Attributes:
        pitch: mean fundamental frequency, Hz.
        liveliness: how far the pitch goes up and down, octaves.
        tract: factor on all formants; longer tracts have lower ones.
        tilt: how much weaker the source gets, dB an octave above 500 Hz.
        breath: noise in the source.
        sharpness: centre of the fricatives, Hz.
        rate: syllables a second.
        pause: mean seconds between phrases.
    """

    pitch: float
    liveliness: float
    tract: float
    tilt: float
    breath: float
    sharpness: float
    rate: float
    pause: float


def draw_voice(rng: np.random.Generator) -> Voice:
    """A speaker: half of them women, with higher voices and shorter tracts."""
    woman = rng.random() < 0.5
    return Voice(
        pitch=near(rng, 205.0 if woman else 118.0, 0.15),
        liveliness=near(rng, 0.2, 0.4),
        tract=near(rng, 1.17 if woman else 1.0, 0.06),
        tilt=float(rng.uniform(2.0, 6.0)),
        breath=float(rng.uniform(0.02, 0.25)),
        sharpness=near(rng, 5200.0, 0.2),
        rate=near(rng, 4.5, 0.2),
        pause=near(rng, 0.7, 0.4),
    )


@dataclass
class Tracks:
    """What the articulators do, (frames,) each: levels, pitch in octaves, formants (frames, 3)."""

    voiced: np.ndarray
    hiss: np.ndarray
    pitch: np.ndarray
    formants: np.ndarray


def speak(
    rng: np.random.Generator,
    voice: Voice,
    num_samples: int,
    sample_rate: int,
    pause: float = 1.0,
) -> np.ndarray:
    """Talks, (num_samples,) at an RMS of about one while there is talk.

    Args:
        rng: source of what is said.
        voice: who says it.
        num_samples: how long.
        sample_rate: in Hz.
        pause: factor on the speaker's pauses.
    """
    count = num_frames(num_samples)
    tracks = _articulate(rng, voice, count, HOP / sample_rate, pause)
    pitch = voice.pitch * 2.0**tracks.pitch
    centres = (np.arange(count) - 1) * HOP
    freq = np.interp(np.arange(num_samples), centres, pitch)
    phase = np.cumsum(freq / sample_rate) + rng.random()
    noise = rng.standard_normal(num_samples)
    # A saw falls by 6 dB an octave, as the flow through the glottis does once it has left the lips.
    pulses = 1 - 2 * (phase % 1) + voice.breath * noise
    freqs = frequencies(sample_rate)
    tract = tracks.voiced[:, None] * _resonances(freqs, voice, tracks.formants)
    source = 10 ** (-voice.tilt / 20 * np.log2(np.maximum(freqs, 500) / 500))
    hiss = 0.9 * tracks.hiss[:, None] * bump(freqs, voice.sharpness, 0.45)
    frames = spectra(pulses) * (tract * source) + spectra(noise) * hiss
    signal = signal_of(frames, num_samples)
    talking = np.interp(np.arange(num_samples), centres, tracks.voiced) > 0.3
    return signal / max(float(np.std(signal[talking])) if talking.any() else 1.0, 1e-6)


def _articulate(
    rng: np.random.Generator, voice: Voice, count: int, step: float, pause: float
) -> Tracks:
    """Phrases of syllables until the time is filled; frames are `step` seconds apart."""
    tracks = Tracks(np.zeros(count), np.zeros(count), np.zeros(count), np.zeros((count, 3)))
    knots, vowels = [0.0], [VOWELS[rng.integers(len(VOWELS))]]
    accents = [0.0]
    now = -rng.random() * 2.0
    while now < count * step:
        num_syllables = int(rng.integers(3, 14))
        for place in range(num_syllables):
            seconds = near(rng, 1 / voice.rate, 0.3)
            if rng.random() < 0.4:
                lasts = rng.uniform(0.05, 0.12)
                _raise(tracks.hiss, now, lasts, step, rng.uniform(0.2, 0.7))
                now += 0.8 * lasts
            level = near(rng, 1.0, 0.3) * (1 - 0.4 * place / num_syllables)
            _raise(tracks.voiced, now, seconds, step, level)
            knots.append(now + 0.5 * seconds)
            vowels.append(VOWELS[rng.integers(len(VOWELS))] * np.exp(0.05 * rng.standard_normal(3)))
            fall = 0.5 - place / num_syllables
            accents.append(voice.liveliness * (fall + rng.standard_normal()))
            now += seconds
        now += pause * voice.pause * (0.3 + rng.exponential())
        if rng.random() < LISTENING_SHARE:
            now += rng.uniform(*LISTENING)
    times = np.arange(count) * step
    order = np.argsort(knots, kind="stable")
    at = np.array(knots)[order]
    tracks.pitch = np.interp(times, at, np.array(accents)[order])
    tracks.formants = np.stack(
        [np.interp(times, at, np.array(vowels)[order, k]) for k in range(3)], 1
    )
    return tracks


def _raise(track: np.ndarray, start: float, seconds: float, step: float, level: float) -> None:
    """Adds a hump, half a period of a sine, to a track."""
    first, last = int(np.ceil(start / step)), int((start + seconds) / step)
    inside = np.arange(max(first, 0), min(last + 1, len(track)))
    hump = np.sin(np.pi * np.clip((inside * step - start) / seconds, 0, 1)) ** 0.7
    track[inside] = np.maximum(track[inside], level * hump)


def _resonances(freqs: np.ndarray, voice: Voice, formants: np.ndarray) -> np.ndarray:
    """The tract's amplitude response, (frames, bins): resonances in cascade."""
    power = np.ones((len(formants), len(freqs)))
    higher = np.broadcast_to(HIGHER, (len(formants), 2))
    squares = np.square(freqs)
    for centre, width in zip(np.hstack([formants, higher]).T, BANDWIDTHS, strict=True):
        square = np.square(voice.tract * centre)[:, None]
        power *= np.square(square) / (np.square(square - squares) + width**2 * squares)
    return np.sqrt(power)
