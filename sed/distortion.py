"""Distortions that leave a clip's class as it is: shifts in time and frequency, gain, and masks.

All work on images in dB, `(batch, time, mels)`, and differ from image to image.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray


def shifted(
    key: PRNGKeyArray, images: Float[Array, "batch time mels"], most: float
) -> Float[Array, "batch time mels"]:
    """Moves each image in time by up to a share of its length; what leaves comes in again.

    Args:
        key: what decides.
        images: in dB.
        most: share of the length, either way; 0.5 for all shifts there are.
    """
    num_frames = images.shape[1]
    reach = round(most * num_frames)
    by = jax.random.randint(key, (len(images),), -reach, reach + 1)
    return jax.vmap(lambda image, frames: jnp.roll(image, frames, axis=0))(images, by)


def transposed(
    key: PRNGKeyArray, images: Float[Array, "batch time mels"], most: int
) -> Float[Array, "batch time mels"]:
    """Moves each image up or down by a few mel bands, the band at the edge repeated.

    Args:
        key: what decides.
        images: in dB.
        most: bands, either way.
    """
    num_mels = images.shape[2]
    by = jax.random.randint(key, (len(images), 1, 1), -most, most + 1)
    bands, by = jnp.broadcast_arrays(jnp.arange(num_mels)[None, None], by)
    return jnp.take_along_axis(images, jnp.clip(bands - by, 0, num_mels - 1), axis=2)


def louder(
    key: PRNGKeyArray, images: Float[Array, "batch time mels"], decibels: float
) -> Float[Array, "batch time mels"]:
    """Adds to each image a level, uniform on plus and minus so many dB."""
    gain = jax.random.uniform(key, (len(images), 1, 1), minval=-decibels, maxval=decibels)
    return images + jnp.broadcast_to(gain, images.shape)


def masked(
    key: PRNGKeyArray,
    images: Float[Array, "batch time mels"],
    fill: Float[Array, "mels"],
    time_share: float,
    mel_share: float,
) -> Float[Array, "batch time mels"]:
    """Hides a stretch of time and a range of mel bands (Park et al., "SpecAugment", 2019).

    Args:
        key: what decides.
        images: in dB.
        fill: what stands in the place of what is hidden, dB, such as each band's mean.
        time_share: how much of the time at most; how much is uniform, and where too.
        mel_share: likewise of the bands.
    """
    time_key, mel_key = jax.random.split(key)
    batch, num_frames, num_mels = images.shape
    frames = stretch(time_key, batch, num_frames, time_share)[:, :, None]
    bands = stretch(mel_key, batch, num_mels, mel_share)[:, None, :]
    hidden = jnp.broadcast_to(frames, images.shape) | jnp.broadcast_to(bands, images.shape)
    return jnp.where(hidden, jnp.broadcast_to(fill[None, None], images.shape), images)


def stretch(key: PRNGKeyArray, batch: int, length: int, most: float) -> Bool[Array, "batch length"]:
    """True on one stretch of each row, of up to a share of its length."""
    size_key, start_key = jax.random.split(key)
    size = jax.random.randint(size_key, (batch, 1), 0, int(most * length) + 1)
    start = jax.random.randint(start_key, (batch, 1), 0, length - size + 1)
    place, start, stop = jnp.broadcast_arrays(jnp.arange(length)[None], start, start + size)
    return (place >= start) & (place < stop)
