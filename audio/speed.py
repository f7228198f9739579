"""Clips played at another speed, which makes other machines of them.

A speed above one is faster: shorter and higher. The signal is resampled, and then its log-mel is
taken. A ready log-mel has no signal, so it is stretched itself; that comes to the same but for the
widths of frames and mel bands.
"""

import numpy as np
import tensorflow as tf

from audio.logmel import LogMel, mel_frequencies
from audio.reading import resampled

# Share of the narrower band (before or after) that the resampler lets through as it is.
PASSBAND = 0.91


def play(
    source: tf.data.Dataset, speed: float, settings: LogMel, num_parallel: int = 2
) -> tf.data.Dataset:
    """Returns a source's elements as if their recordings had been played at a speed.

    Args:
        source: elements as `audio.reading.signals_from_files` gives them.
        speed: above one is faster.
        settings: the signals' rate, and the mel bands of ready log-mels.
        num_parallel: clips at a time.
    """

    def play_one(signal: np.ndarray, logmel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        # Of signal and ready log-mel one is empty; of a bad clip both are.
        if len(signal):
            signal = resampled(signal, settings.sample_rate * speed, settings.sample_rate)
        return signal, stretched(logmel, speed, settings) if len(logmel) else logmel

    @tf.autograph.experimental.do_not_convert
    def played(element: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        both = [element["signal"], element["logmel"]]
        signal, logmel = tf.numpy_function(play_one, both, (tf.float32, tf.float32))
        return {
            **element,
            "signal": tf.ensure_shape(signal, [None]),
            "logmel": tf.ensure_shape(logmel, [None, settings.num_mels]),
        }

    return source.map(played, num_parallel_calls=num_parallel, deterministic=True)


def stretched(logmel: np.ndarray, speed: float, settings: LogMel) -> np.ndarray:
    """Returns a log-mel as if its signal had been played at a speed.

    A band at f Hz takes what was at f / speed, linearly interpolated in dB, less 10 log10(speed):
    the power is spread over so much more bandwidth, or so much less. What would have to come from
    outside the bands repeats the outermost.

    Args:
        logmel: (F, num_mels) float32 dB.
        speed: above one is faster.
        settings: the mel bands.

    Returns:
        (1 + floor((F - 1) / speed), num_mels) float32 dB.
    """
    hertz = mel_frequencies(settings)
    frames = speed * np.arange(1 + int((len(logmel) - 1) / speed))
    bands = np.interp(hertz / speed, hertz, np.arange(settings.num_mels))
    moved = _interpolated(_interpolated(logmel, frames).T, bands).T
    return (moved - 10 * np.log10(speed)).astype(np.float32)


def heard_bands(speed: float, settings: LogMel) -> np.ndarray:
    """Says which mel band stands for each, in the log-mel of a signal that was resampled.

    Where the resampler lets nothing through there would be silence, tens of dB below any
    recording: the copy's mark, by which a network could tell it without listening any further.
    There the highest band that is heard stands for those above it.

    Returns:
        (num_mels,) indices.
    """
    nyquist = settings.sample_rate / 2
    upper_edges = np.append(mel_frequencies(settings)[1:], nyquist)
    num_heard = int((upper_edges <= PASSBAND * min(1.0, speed) * nyquist).sum())
    return np.minimum(np.arange(settings.num_mels), max(num_heard - 1, 0))


def _interpolated(x: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The rows of x at fractional indices, (len(places), columns)."""
    places = np.minimum(places, len(x) - 1)
    below = places.astype(int)
    above = np.minimum(below + 1, len(x) - 1)
    share = (places - below)[:, None]
    return (1 - share) * x[below] + share * x[above]
