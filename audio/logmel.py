"""The log-mel spectrogram: how much power each mel band has, frame by frame, in dB.

The numbers are librosa's `10·log10(melspectrogram + eps)`, reached through TensorFlow, so that a
tf.data pipeline computes them in parallel. TensorFlow's own mel matrix is another one (HTK's mel
scale, filters not scaled to unit area) and is off by up to 8.3 nats; the matrix here is librosa's.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import tensorflow as tf

from audio.clips import DataError

# TensorFlow prepares data and nothing else here; the accelerator's memory is JAX's.
tf.config.set_visible_devices([], "GPU")

# So many strips of mel bands are multiplied apart; see `_mel_strips`.
NUM_STRIPS = 8


@dataclass(frozen=True)
class LogMel:
    """What a log-mel is made of; the defaults are the DCASE 2020 baseline's.

    Attributes:
        sample_rate: Hz.
        frame_length: samples in a frame, and points of its Fourier transform.
        hop_length: samples from one frame's start to the next.
        num_mels: mel bands, from 0 Hz to half the sample rate.
        eps: the power added before the logarithm, which gives silence its floor of -156.5 dB.
    """

    sample_rate: int = 16000
    frame_length: int = 1024
    hop_length: int = 512
    num_mels: int = 128
    eps: float = 2.220446e-16

    def __post_init__(self) -> None:
        for name in ("sample_rate", "frame_length", "hop_length", "num_mels", "eps"):
            if not getattr(self, name) > 0:
                raise DataError(f"logmel.{name}={getattr(self, name)!r}: set it above 0")


def log_mel(signal: tf.Tensor, settings: LogMel) -> tf.Tensor:
    """Returns the log-mel of one signal, dB.

    Frame t is centred on sample t·hop: the signal is padded with half a frame of zeros at either
    end, as librosa's `center=True, pad_mode="constant"` does.

    Args:
        signal: (T,) float32 samples in [-1, 1].
        settings: what the log-mel is made of.

    Returns:
        (1 + T // hop_length, num_mels) float32.
    """
    n, half = settings.frame_length, settings.frame_length // 2
    padded = tf.pad(signal, [[half, half]])
    frames = tf.signal.frame(padded, n, settings.hop_length)
    spectrum = tf.signal.rfft(frames * _hann(n), [n])
    # (frames, 2·bins): re² and im² of each bin beside one another.
    squares = tf.square(tf.reshape(tf.bitcast(spectrum, tf.float32), [-1, 2 * (n // 2 + 1)]))
    bands = [squares[:, lo:hi] @ weights for lo, hi, weights in _mel_strips(settings)]
    power = tf.concat(bands, axis=1)
    return (10.0 / np.log(10.0)) * tf.math.log(power + settings.eps)


def mel_matrix(settings: LogMel) -> np.ndarray:
    """Returns librosa's Slaney filters, (num_mels, frame_length // 2 + 1) float32."""
    from librosa.filters import mel  # takes a second to import, more the first time

    return mel(sr=settings.sample_rate, n_fft=settings.frame_length, n_mels=settings.num_mels)


def mel_frequencies(settings: LogMel) -> np.ndarray:
    """Returns the centre frequency of each mel band, (num_mels,) Hz, on Slaney's scale."""
    from librosa import mel_frequencies as edges_and_centres

    return edges_and_centres(n_mels=settings.num_mels + 2, fmin=0.0, fmax=settings.sample_rate / 2)[
        1:-1
    ]


def _hann(length: int) -> np.ndarray:
    """The periodic Hann window, (length,)."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)).astype(np.float32)


@lru_cache(maxsize=8)
def _mel_strips(settings: LogMel) -> list[tuple[int, int, np.ndarray]]:
    """The mel matrix, cut to what is not zero.

    A mel band hears a narrow range of bins, so that the matrix is nearly all zeros. An eighth of
    the bands at a time, multiplied with only the bins these hear, is a fraction of the work.
    Each bin's weight stands there twice, for re² and for im²: the sum of the two is its power.

    Returns:
        (lo, hi, weights) of each strip: columns lo to hi of the squares, times weights
        (hi - lo, bands of the strip), are the power in its bands.
    """
    strips = []
    for bands in np.array_split(np.repeat(mel_matrix(settings), 2, axis=1), NUM_STRIPS):
        heard = np.flatnonzero(bands.any(axis=0))
        lo, hi = (int(heard[0]), int(heard[-1]) + 1) if heard.size else (0, 0)
        strips.append((lo, hi, np.ascontiguousarray(bands[:, lo:hi].T)))
    return strips
