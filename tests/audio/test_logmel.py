import librosa
import numpy as np
import pytest
import tensorflow as tf

from audio.clips import DataError
from audio.logmel import LogMel, log_mel, mel_frequencies

RATE = 16000


def by_librosa(signal: np.ndarray, settings: LogMel) -> np.ndarray:
    power = librosa.feature.melspectrogram(
        y=signal,
        sr=settings.sample_rate,
        n_fft=settings.frame_length,
        hop_length=settings.hop_length,
        n_mels=settings.num_mels,
    )
    return 10.0 * np.log10(power.T + settings.eps)


def speech_like(rng: np.random.Generator, num_samples: int) -> np.ndarray:
    """Pulses at a wandering pitch through two resonances, with pauses: loud and faint by turns."""
    pitch = 120 + 30 * np.sin(2 * np.pi * 3 * np.arange(num_samples) / RATE)
    pulses = np.diff(np.floor(np.cumsum(pitch / RATE)), prepend=0.0)
    t = np.arange(400) / RATE
    voice = sum(
        np.convolve(pulses, np.exp(-200 * t) * np.sin(2 * np.pi * f * t))[:num_samples]
        for f in (700, 1900)
    )
    pauses = np.repeat(rng.random(num_samples // 4000 + 1) > 0.4, 4000)[:num_samples]
    return 0.3 * voice * pauses + 1e-3 * rng.normal(size=num_samples)


def impulses(rng: np.random.Generator, num_samples: int) -> np.ndarray:
    signal = 1e-4 * rng.normal(size=num_samples)
    signal[rng.integers(0, num_samples, size=20)] = 0.9
    return signal


@pytest.mark.parametrize("kind", ["noise", "speech", "impulses", "hum"])
@pytest.mark.parametrize(
    "settings",
    [LogMel(), LogMel(44100, 2048, 441, 64), LogMel(frame_length=400, hop_length=160, num_mels=40)],
)
def test_equals_librosa(kind, settings, hum):
    rng = np.random.default_rng(0)
    signal = {
        "noise": lambda: 0.1 * rng.normal(size=32000),
        "speech": lambda: speech_like(rng, 32000),
        "impulses": lambda: impulses(rng, 32000),
        "hum": lambda: hum(2.0),
    }[kind]().astype(np.float32)
    ours = log_mel(tf.constant(signal), settings).numpy()
    np.testing.assert_allclose(ours, by_librosa(signal, settings), rtol=0, atol=1e-3)


def test_ten_seconds_are_313_frames_of_128_bands():
    logmel = log_mel(tf.zeros(160000), LogMel())
    assert logmel.shape == (313, 128)
    assert logmel.dtype == tf.float32


@pytest.mark.parametrize("num_samples", [1, 511, 512, 513, 1024, 5000])
def test_there_is_a_frame_for_every_hop_begun(num_samples):
    assert len(log_mel(tf.zeros(num_samples), LogMel())) == 1 + num_samples // 512


def test_silence_is_exactly_the_floor():
    settings = LogMel()
    logmel = log_mel(tf.zeros(8000), settings).numpy()
    assert len(np.unique(logmel)) == 1
    assert logmel[0, 0] == pytest.approx(10 * np.log10(settings.eps), abs=1e-4)


def test_runs_in_a_graph_on_signals_of_any_length():
    settings = LogMel()
    graph = tf.function(
        lambda signal: log_mel(signal, settings),
        input_signature=[tf.TensorSpec([None], tf.float32)],
        autograph=False,
    )
    for num_samples in (700, 9000):
        signal = tf.random.stateless_normal([num_samples], seed=(0, 1))
        np.testing.assert_allclose(graph(signal), log_mel(signal, settings), atol=1e-4)


def test_a_tone_is_loudest_in_the_band_centred_nearest_to_it():
    settings = LogMel()
    centres = mel_frequencies(settings)
    assert centres.shape == (128,)
    assert (np.diff(centres) > 0).all()
    assert 0 < centres[0] < centres[-1] < RATE / 2
    for hz in (300.0, 1000.0, 3000.0):
        tone = 0.5 * np.sin(2 * np.pi * hz * np.arange(RATE) / RATE)
        logmel = log_mel(tf.constant(tone, tf.float32), settings).numpy()
        loudest = np.bincount(logmel[5:-5].argmax(axis=1)).argmax()
        assert abs(int(loudest) - int(np.abs(centres - hz).argmin())) <= 1


def test_a_setting_that_cannot_be_is_named():
    with pytest.raises(DataError, match=r"logmel\.hop_length=0"):
        LogMel(hop_length=0)
