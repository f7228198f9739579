"""VGGish: an embedding of 128 numbers for every 0.96 s, learned from labels of YouTube videos.

Hershey et al., "CNN architectures for large-scale audio classification" (ICASSP 2017), and the
AudioSet release, whose own 128 numbers are these after a PCA, in eight bits.

    variables = load_weights("vggish")
    embeddings = jax.jit(vggish.embed)(variables, waveforms)
    as_released = vggish.quantise(vggish.whiten(variables, embeddings))
"""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float, UInt8

from baselines.mel import htk_filters
from baselines.spectrogram import EXACT, in_bands, spectra

SAMPLE_RATE = 16000
WINDOW, HOP, POINTS = 400, 160, 512  # samples: 25 ms, 10 ms
NUM_MELS, LOW, HIGH = 64, 125.0, 7500.0  # bands, Hz
OFFSET = 0.01  # added to the magnitude before the logarithm
FRAMES = 96  # in a patch: 0.96 s
MIN_SAMPLES = WINDOW + HOP * (FRAMES - 1)
CLIP = 2.0  # whitened numbers beyond are released as if they were that
STAGES = {"conv1": 64, "conv2": 128, "conv3_1": 256, "conv3_2": 256, "conv4_1": 512, "conv4_2": 512}
BEFORE_POOLING = ("conv1", "conv2", "conv3_2", "conv4_2")
HIDDEN, EMBEDDING = 4096, 128


class VGGish(nn.Module):
    """From patches of log-mel to embeddings, before any activation.

    The last layer is not rectified: so the network is published since 2020, and so the PCA must
    have been fitted, some of whose means are negative. The first release rectified it, and so do
    ports of that.

    Attributes:
        hidden: units of the two layers before the embedding; the published network's are 4096.
    """

    hidden: int = HIDDEN

    @nn.compact
    def __call__(self, patches: Float[Array, "many 96 64"]) -> Float[Array, "many 128"]:
        """Applies the network."""
        x = patches[..., None]
        for name, features in STAGES.items():
            x = nn.relu(nn.Conv(features, (3, 3), name=name)(x))
            if name in BEFORE_POOLING:
                x = nn.max_pool(x, (2, 2), strides=(2, 2))
        x = x.reshape(len(x), -1)
        for name in ("fc1_1", "fc1_2"):
            x = nn.relu(nn.Dense(self.hidden, name=name)(x))
        return nn.Dense(EMBEDDING, name="fc2")(x)


def log_mel(waveform: Float[Array, "batch samples"]) -> Float[Array, "batch frames 64"]:
    """The log-mel of clips at 16 kHz: natural logarithms of magnitudes, whole frames alone."""
    magnitude = jnp.abs(spectra(waveform, WINDOW, HOP, POINTS))
    filters = htk_filters(NUM_MELS, POINTS, SAMPLE_RATE, LOW, HIGH)
    return jnp.log(in_bands(magnitude, filters) + OFFSET)


def cut(log_mels: Float[Array, "batch frames 64"]) -> Float[Array, "batch patches 96 64"]:
    """Whole patches, one after another; the frames that are left over are dropped."""
    batch, frames, _ = log_mels.shape
    count = frames // FRAMES
    return log_mels[:, : count * FRAMES].reshape(batch, count, FRAMES, NUM_MELS)


def embed(
    variables: Any, waveform: Float[Array, "batch samples"]
) -> Float[Array, "batch patches 128"]:
    """Embeddings of the 0.96 s patches of clips; how many clips at a time is the caller's.

    Args:
        variables: from `load_weights("vggish")`.
        waveform: samples in [-1, 1] at 16 kHz.

    Raises:
        ValueError: clips are shorter than a patch.
    """
    if waveform.shape[1] < MIN_SAMPLES:
        raise ValueError(
            f"VGGish hears clips of {MIN_SAMPLES} samples or more at {SAMPLE_RATE} Hz;"
            f" these have {waveform.shape[1]}"
        )
    patches = cut(log_mel(waveform))
    params = {"params": variables["params"]}
    embeddings: Any = VGGish().apply(params, patches.reshape(-1, FRAMES, NUM_MELS))
    return embeddings.reshape(*patches.shape[:2], EMBEDDING)


def whiten(variables: Any, embeddings: Float[Array, "*many 128"]) -> Float[Array, "*many 128"]:
    """Embeddings along the principal axes of AudioSet's, each axis of unit variance there."""
    pca = variables["pca"]
    means = jnp.broadcast_to(pca["means"], embeddings.shape)
    return jnp.matmul(embeddings - means, jnp.transpose(pca["eigen_vectors"]), precision=EXACT)


def quantise(whitened: Float[Array, "*many 128"]) -> UInt8[Array, "*many 128"]:
    """Eight bits for -2 to 2, cut off and not rounded, as AudioSet's embeddings were released."""
    levels = (jnp.clip(whitened, -CLIP, CLIP) + CLIP) * (255.0 / (2 * CLIP))
    return levels.astype(jnp.uint8)
