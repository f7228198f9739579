"""What lies between a voice and a listener when the voice is media: production and playback."""

from dataclasses import dataclass

import numpy as np

from audio.hall.signals import Modes, bump, ring, strikes, unit_rms
from audio.hall.units import near
from audio.media_scenes.spectra import filtered

BLOCK = 160  # samples over which a compressor looks at the level
NOTES = 2 ** (np.array((0, 2, 4, 5, 7, 9, 11)) / 12)


@dataclass(frozen=True)
class Loudspeaker:
    """Playback, from a kitchen radio to a good stereo.

    Attributes:
        low: below which it falls by 12 dB an octave, Hz.
        high: above which it falls by 18 dB an octave, Hz.
        ratio: of the compressor in the programme: decibels in for a decibel out.
        drive: how far the signal goes into saturation, of a level of one.
        resonance: centre of the cabinet's resonance, Hz.
        boom: its gain.
    """

    low: float
    high: float
    ratio: float
    drive: float
    resonance: float
    boom: float


def draw_loudspeaker(rng: np.random.Generator) -> Loudspeaker:
    """A loudspeaker of any quality."""
    quality = rng.random() ** 2  # good ones are rarer
    return Loudspeaker(
        low=near(rng, 600.0 * (150 / 600) ** quality, 0.15),
        high=near(rng, 2500.0 * (6500 / 2500) ** quality, 0.15),
        ratio=float(rng.uniform(2.0, 5.0)),
        drive=near(rng, 0.6 * (0.08 / 0.6) ** quality, 0.2),
        resonance=near(rng, 300.0 + 1500.0 * rng.random(), 0.2),
        boom=float(rng.uniform(0.0, 1.2) * (1 - 0.6 * quality)),
    )


def played(signal: np.ndarray, loudspeaker: Loudspeaker, sample_rate: int) -> np.ndarray:
    """A programme as it leaves the loudspeaker, at an RMS of one.

    Args:
        signal: (T,) near an RMS of one while there is sound.
        loudspeaker: what plays it.
        sample_rate: in Hz.
    """
    driven = loudspeaker.drive * compressed(signal, loudspeaker.ratio)
    bent = np.tanh(driven + 0.1 * np.square(driven))

    def response(freqs: np.ndarray) -> np.ndarray:
        bass = np.square(freqs) / (np.square(freqs) + loudspeaker.low**2)
        treble = 1 / np.sqrt(1 + (freqs / loudspeaker.high) ** 6)
        return bass * treble * (1 + loudspeaker.boom * bump(freqs, loudspeaker.resonance, 0.25))

    return unit_rms(filtered(bent, sample_rate, response))


def compressed(signal: np.ndarray, ratio: float, reach: int = 8) -> np.ndarray:
    """Dynamic range compression: so many decibels of level become one.

    The level is the RMS of blocks, smoothed over `2 reach + 1` of them, and not less than 40 dB
    below one: what is softer still is not brought up any more.
    """
    count = -(-len(signal) // BLOCK)
    power = np.zeros(count * BLOCK)
    power[: len(signal)] = np.square(signal)
    blocks = np.pad(power.reshape(count, BLOCK).mean(1), reach, mode="edge")
    weights = np.hanning(2 * reach + 3)[1:-1]
    level = np.sqrt(np.convolve(blocks, weights / weights.sum(), "valid"))
    gain = np.maximum(level, 0.01) ** (1 / ratio - 1)
    centres = (np.arange(count) + 0.5) * BLOCK
    return signal * np.interp(np.arange(len(signal)), centres, gain)


def music(rng: np.random.Generator, num_samples: int, sample_rate: int) -> np.ndarray:
    """A bed under a programme: chords of plucked notes at a steady beat, at an RMS of one."""
    seconds = num_samples / sample_rate
    beat, root = rng.uniform(0.3, 0.8), near(rng, 130.0, 0.3)
    times = np.arange(0, seconds, beat)
    scale = np.concatenate([NOTES, 2 * NOTES])
    pitches = rng.integers(len(scale), size=(len(times), 3))
    overtones = np.arange(1, 7)
    total = np.zeros(num_samples)
    for note, ratio in enumerate(scale):
        strings = Modes(root * ratio * overtones, 120.0 * overtones, 1.0 / overtones)
        heights = (pitches == note).sum(1) * rng.uniform(0.5, 1.0, len(times))
        heard = heights > 0
        kernel = ring(strings, sample_rate)
        total += strikes(times[heard], heights[heard], kernel, num_samples, sample_rate)
    return unit_rms(total)
