"""PANNs' Cnn14: an embedding of 2048 numbers for a clip, learned from AudioSet's tags.

Kong et al., "PANNs: large-scale pretrained audio neural networks for audio pattern recognition"
(IEEE/ACM TASLP 2020). As it is in use: nothing is dropped out, statistics are those of training.

    variables = load_weights("cnn14")
    embeddings = jax.jit(cnn14.embed)(variables, waveforms)
"""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from baselines.convolution import Convolution
from baselines.spectrogram import in_bands, spectra

SAMPLE_RATE = 32000
WINDOW, HOP = 1024, 320  # samples
NUM_MELS, LOW, HIGH = 64, 50.0, 14000.0  # bands, Hz
FLOOR = 1e-10  # the least power: -100 dB
EPSILON = 1e-5
FIRST, BLOCKS = 64, 6  # channels, which double from block to block
HALVINGS = BLOCKS - 1
MIN_SAMPLES = HOP * (2**HALVINGS - 1)  # one frame is left after the halvings


class Block(nn.Module):
    """Two convolutions, each normalised and rectified.

    Attributes:
        features: channels that come out.
    """

    features: int

    @nn.compact
    def __call__(
        self, x: Float[Array, "batch time mels channels"]
    ) -> Float[Array, "batch time mels features"]:
        """Applies the block."""
        for i in (1, 2):
            x = Convolution(self.features, name=f"conv{i}")(x)
            x = nn.relu(nn.BatchNorm(True, epsilon=EPSILON, name=f"bn{i}")(x))
        return x


class Cnn14(nn.Module):
    """From log-mels to embeddings of `32 * first` numbers, none negative.

    Attributes:
        first: channels of the first block; the published network's are 64.
    """

    first: int = FIRST

    @nn.compact
    def __call__(
        self, log_mels: Float[Array, "batch frames mels"]
    ) -> Float[Array, "batch embedding"]:
        """The last block's mean over mels, then its maximum and mean over time, and a layer."""
        x = nn.BatchNorm(True, epsilon=EPSILON, name="bn0")(log_mels)[..., None]
        for i in range(BLOCKS):
            x = Block(self.first * 2**i, name=f"conv_block{i + 1}")(x)
            if i < HALVINGS:
                x = halved(x)
        x = x.mean(2)
        x = x.max(1) + x.mean(1)
        return nn.relu(nn.Dense(x.shape[-1], name="fc1")(x))


def halved(
    x: Float[Array, "batch time mels channels"],
) -> Float[Array, "batch half_time half_mels channels"]:
    """Means over 2 x 2 pixels; the last of an odd number is dropped."""
    batch, time, mels, channels = x.shape
    time, mels = time // 2, mels // 2
    squares = x[:, : 2 * time, : 2 * mels].reshape(batch, time, 2, mels, 2, channels)
    return squares.mean((2, 4))


def log_mel(waveform: Float[Array, "batch samples"]) -> Float[Array, "batch frames 64"]:
    """The log-mel of clips at 32 kHz, dB.

    Frame t is centred on sample 320 t: the clip is continued beyond its ends by its own mirror
    image.

    Args:
        waveform: samples in [-1, 1].

    Raises:
        ValueError: clips are shorter than 0.31 s, too few frames for the network.
    """
    from librosa.filters import mel  # takes a second to import, more the first time

    if waveform.shape[1] < MIN_SAMPLES:
        raise ValueError(
            f"Cnn14 hears clips of {MIN_SAMPLES} samples or more at {SAMPLE_RATE} Hz;"
            f" these have {waveform.shape[1]}"
        )
    padded = jnp.pad(waveform, ((0, 0), (WINDOW // 2, WINDOW // 2)), mode="reflect")
    spectrum = spectra(padded, WINDOW, HOP, WINDOW)
    power = jnp.square(spectrum.real) + jnp.square(spectrum.imag)
    filters = mel(sr=SAMPLE_RATE, n_fft=WINDOW, n_mels=NUM_MELS, fmin=LOW, fmax=HIGH)
    return 10.0 * jnp.log10(jnp.maximum(in_bands(power, filters.T), FLOOR))


def embed(variables: Any, waveform: Float[Array, "batch samples"]) -> Float[Array, "batch 2048"]:
    """Embeddings of clips; how many at a time is the caller's to choose.

    Args:
        variables: from `load_weights("cnn14")`.
        waveform: samples in [-1, 1] at 32 kHz.

    Raises:
        ValueError: clips are shorter than 0.31 s.
    """
    embeddings: Any = Cnn14().apply(variables, log_mel(waveform))
    return embeddings
