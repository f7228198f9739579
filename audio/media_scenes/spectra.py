"""Filters that change with time: a signal's spectra, frame by frame, and back to a signal."""

from collections.abc import Callable

import numpy as np

FRAME = 512  # samples in a frame
HOP = 128  # samples from one frame to the next


def num_frames(num_samples: int) -> int:
    """Frames that cover a signal, from half a frame before it to half a frame after it."""
    return -(-num_samples // HOP) + FRAME // HOP


def spectra(signal: np.ndarray) -> np.ndarray:
    """Short-time spectra under Hann windows, (frames, FRAME // 2 + 1) complex.

    Frame t is centred on sample (t - 1) · HOP.
    """
    count = num_frames(len(signal))
    padded = np.zeros(HOP * (count - 1) + FRAME)
    padded[FRAME - HOP : FRAME - HOP + len(signal)] = signal
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP]
    return np.fft.rfft(frames * _window(), axis=1)


def signal_of(frames: np.ndarray, num_samples: int) -> np.ndarray:
    """The signal whose short-time spectra these are, (num_samples,): overlap and add."""
    waves = np.fft.irfft(frames, FRAME, axis=1).reshape(len(frames), FRAME // HOP, HOP)
    total = np.zeros((len(frames) + FRAME // HOP - 1, HOP))
    for part in range(FRAME // HOP):
        total[part : part + len(frames)] += waves[:, part]
    # Four Hann windows a quarter apart add up to two.
    return 0.5 * total.ravel()[FRAME - HOP : FRAME - HOP + num_samples]


def frequencies(sample_rate: int) -> np.ndarray:
    """Of the bins of a short-time spectrum, (FRAME // 2 + 1,) Hz."""
    return np.fft.rfftfreq(FRAME, 1 / sample_rate)


def filtered(
    signal: np.ndarray, sample_rate: int, response: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """A signal through a filter that stays as it is; `response` of frequencies in Hz."""
    length = _fast_length(len(signal) + sample_rate // 10)
    freqs = np.fft.rfftfreq(length, 1 / sample_rate)
    return np.fft.irfft(np.fft.rfft(signal, length) * response(freqs), length)[: len(signal)]


def convolved(signal: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """A signal through a finite impulse response, cut to the signal's length."""
    length = _fast_length(len(signal) + len(kernel) - 1)
    product = np.fft.rfft(signal, length) * np.fft.rfft(kernel, length)
    return np.fft.irfft(product, length)[: len(signal)]


def _window() -> np.ndarray:
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)


def _fast_length(length: int) -> int:
    """The next multiple of a power of two of which a transform is quick."""
    step = 2 ** max(length.bit_length() - 4, 0)
    return -(-length // step) * step
