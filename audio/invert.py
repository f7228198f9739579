"""Back from a log-mel spectrogram to sound: what it says of power is kept, phases are made up."""

import numpy as np

from audio.logmel import LogMel

NUM_ITERATIONS = 64


def invert(logmel: np.ndarray, settings: LogMel, seed: int = 0) -> np.ndarray:
    """A signal whose log-mel comes close to a given one.

    The power in each Fourier bin by non-negative least squares, phases by Griffin and Lim's
    iterations: both librosa's, with the frames, window and filters of `audio.logmel.log_mel`.

    Args:
        logmel: (frames, num_mels) dB.
        settings: what the log-mel is made of.
        seed: of the phases that the iterations start from.

    Returns:
        ((frames - 1) * hop_length,) float32, in the units the log-mel was taken of.
    """
    from librosa import griffinlim  # takes a second to import, more the first time
    from librosa.feature.inverse import mel_to_stft

    power = np.maximum(10.0 ** (logmel.T.astype(np.float64) / 10) - settings.eps, 0.0)
    # Least squares stop at an absolute tolerance, which would leave a faint clip as it starts.
    loudest = max(power.max(), settings.eps)
    magnitude = mel_to_stft(
        power / loudest, sr=settings.sample_rate, n_fft=settings.frame_length, power=2.0
    )
    signal = griffinlim(
        magnitude,
        n_iter=NUM_ITERATIONS,
        hop_length=settings.hop_length,
        n_fft=settings.frame_length,
        window="hann",
        center=True,
        pad_mode="constant",
        length=(len(logmel) - 1) * settings.hop_length,
        random_state=seed,
    )
    return (signal * np.sqrt(loudest)).astype(np.float32)


def peak_normalised(signal: np.ndarray, peak: float = 0.9) -> np.ndarray:
    """A signal made as loud as a player takes; silence stays silence."""
    largest = np.abs(signal).max(initial=0.0)
    return signal * (peak / largest) if largest else signal
