"""Short-time Fourier transforms, which both front ends begin with."""

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Complex, Float

# What an accelerator's default would round off, a logarithm makes large in quiet bands.
EXACT = lax.Precision.HIGHEST


def spectra(
    signal: Float[Array, "batch samples"], length: int, hop: int, points: int
) -> Complex[Array, "batch frames bins"]:
    """Fourier transforms of whole frames under a periodic Hann window.

    Args:
        signal: nothing is added at its ends.
        length: samples in a frame.
        hop: samples from one frame's start to the next.
        points: of the transform; zeros after the frame fill it up.
    """
    count = 1 + (signal.shape[1] - length) // hop
    samples = hop * np.arange(count)[:, None] + np.arange(length)[None]
    periodic = np.hanning(length + 1)[:-1].astype(np.float32)
    return jnp.fft.rfft(signal[:, samples] * periodic[None, None], points)


def in_bands(
    spectrogram: Float[Array, "batch frames bins"], filters: Float[np.ndarray, "bins mels"]
) -> Float[Array, "batch frames mels"]:
    """What each mel band hears of a spectrogram."""
    return jnp.matmul(spectrogram, filters, precision=EXACT)
