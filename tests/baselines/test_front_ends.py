"""The front ends are what librosa's filters and TensorFlow's transforms make."""

import jax
import jax.numpy as jnp
import librosa
import numpy as np
import tensorflow as tf

from baselines import cnn14, vggish
from baselines.mel import htk_filters
from baselines.spectrogram import spectra


def clips(rate, seconds, count=2):
    """Noise under a tone, the second clip quieter."""
    rng = np.random.default_rng(0)
    time = np.arange(int(rate * seconds)) / rate
    sound = 0.1 * rng.normal(size=(count, len(time))) + 0.3 * np.sin(2 * np.pi * 440 * time)
    return (sound * np.geomspace(1, 1e-2, count)[:, None]).astype(np.float32)


def test_htk_filters_are_tensorflows():
    theirs = tf.signal.linear_to_mel_weight_matrix(64, 257, 16000, 125.0, 7500.0).numpy()
    ours = htk_filters(64, 512, 16000, 125.0, 7500.0)
    assert not ours[0].any()
    np.testing.assert_allclose(ours, theirs, atol=2e-5)


def test_a_filter_from_0_hz_leaves_the_bin_at_0_hz_out():
    assert htk_filters(4, 64, 16000, -100.0, 8000.0)[1, 0] > 0
    assert not htk_filters(4, 64, 16000, -100.0, 8000.0)[0].any()


def test_spectra_are_numpys():
    (clip,) = clips(16000, 0.1, 1)
    ours = spectra(jnp.asarray(clip[None]), 400, 160, 512)
    frames = np.stack([clip[start : start + 400] for start in range(0, len(clip) - 399, 160)])
    theirs = np.fft.rfft(frames * librosa.filters.get_window("hann", 400), 512)
    assert ours.shape == (1, 8, 257)
    np.testing.assert_allclose(ours[0], theirs, atol=1e-4)


def test_cnn14s_log_mel_is_tensorflows_in_librosas_bands():
    sound = clips(cnn14.SAMPLE_RATE, 0.5)
    ours = jax.jit(cnn14.log_mel)(sound)
    padded = np.pad(sound, ((0, 0), (512, 512)), mode="reflect")
    power = np.square(np.abs(tf.signal.stft(padded, 1024, 320)))
    filters = librosa.filters.mel(sr=32000, n_fft=1024, n_mels=64, fmin=50, fmax=14000)
    theirs = 10 * np.log10(np.maximum(power @ filters.T, 1e-10))
    assert ours.shape == (2, 51, 64)
    np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_silence_is_at_the_floor():
    ours = cnn14.log_mel(jnp.zeros((1, 16000)))
    np.testing.assert_allclose(ours, -100.0, rtol=1e-6)
    np.testing.assert_allclose(vggish.log_mel(jnp.zeros((1, 16000))), np.log(0.01), rtol=1e-6)


def test_vggishs_log_mel_is_tensorflows():
    sound = clips(vggish.SAMPLE_RATE, 1.0)
    ours = jax.jit(vggish.log_mel)(sound)
    magnitude = tf.abs(tf.signal.stft(sound, 400, 160, 512))
    filters = tf.signal.linear_to_mel_weight_matrix(64, 257, 16000, 125.0, 7500.0)
    theirs = tf.math.log(magnitude @ filters + 0.01)
    assert ours.shape == (2, 98, 64)
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_patches_follow_one_another():
    log_mels = jnp.arange(200.0 * 64).reshape(1, 200, 64)
    patches = vggish.cut(log_mels)
    assert patches.shape == (1, 2, 96, 64)
    np.testing.assert_array_equal(patches[0, 1], log_mels[0, 96:192])
