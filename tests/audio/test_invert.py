import numpy as np
import pytest
import tensorflow as tf

from audio.invert import invert, peak_normalised
from audio.logmel import LogMel, log_mel


def logmel_of(signal, settings):
    return log_mel(tf.constant(signal, tf.float32), settings).numpy()


@pytest.mark.parametrize("settings", [LogMel(), LogMel(8000, 512, 256, 64)])
@pytest.mark.parametrize("level", [1.0, 1e-3])
def test_a_tone_in_noise_comes_back(settings, level):
    """Within a dB for most bins and for the tone, and at its own loudness, faint or not."""
    rng = np.random.default_rng(0)
    t = np.arange(40 * settings.hop_length) / settings.sample_rate
    tone = 0.3 * np.sin(2 * np.pi * 1000 * t) * (t > t.mean())
    logmel = logmel_of(level * (tone + 0.02 * rng.normal(size=t.shape)), settings)
    signal = invert(logmel, settings)
    assert signal.shape == t.shape and signal.dtype == np.float32
    again = logmel_of(signal, settings)
    assert again.shape == logmel.shape
    difference = np.abs(again - logmel)
    assert np.median(difference) < 0.7
    assert abs((again - logmel).mean()) < 1.5
    loudest = logmel[30].argmax()
    assert again[30].argmax() == loudest
    assert again[30, loudest] == pytest.approx(logmel[30, loudest], abs=1)


def test_silence_stays_silent_and_seeds_decide_the_phases():
    settings = LogMel()
    silence = logmel_of(np.zeros(8192), settings)
    assert np.abs(invert(silence, settings)).max() < 1e-6
    noise = logmel_of(np.random.default_rng(0).normal(size=8192), settings)
    one, same, other = (invert(noise, settings, seed) for seed in (0, 0, 1))
    assert np.array_equal(one, same) and not np.allclose(one, other)


def test_half_precision_is_good_enough():
    settings = LogMel()
    noise = logmel_of(0.1 * np.random.default_rng(0).normal(size=8192), settings)
    assert np.isfinite(invert(noise.astype(np.float16), settings)).all()


def test_the_peak_is_what_is_asked_for():
    assert np.abs(peak_normalised(np.array([0.1, -0.2]))).max() == pytest.approx(0.9)
    assert np.array_equal(peak_normalised(np.zeros(4)), np.zeros(4))
