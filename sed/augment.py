"""What makes few recordings many: log-mels a little higher or lower, with bands left out."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def shift_bands(
    key: Array, x: Float[Array, "batch frames mels"], most: int
) -> Float[Array, "batch frames mels"]:
    """Each clip moved up or down by a few mel bands, the band at the edge repeated.

    Args:
        key: decides by how many, from -most to most.
        x: log-mels.
        most: bands.
    """
    if most == 0:
        return x
    num_mels = x.shape[-1]
    shift = jax.random.randint(key, (len(x), 1), -most, most + 1)
    bands = jnp.clip(jnp.arange(num_mels)[None] - shift, 0, num_mels - 1)
    return jnp.take_along_axis(x, bands[:, None], axis=-1)


def mask_bands(
    key: Array, x: Float[Array, "batch frames mels"], most: int, fill: Float[Array, " mels"]
) -> Float[Array, "batch frames mels"]:
    """A run of mel bands of each clip replaced (SpecAugment; Park et al., 2019).

    Args:
        key: decides where, and how many from none to `most`.
        x: log-mels.
        most: bands.
        fill: what stands there instead, such as the mean spectrum.
    """
    if most == 0:
        return x
    width_key, first_key = jax.random.split(key)
    width = jax.random.randint(width_key, (len(x), 1), 0, most + 1)
    first = jax.random.randint(first_key, (len(x), 1), 0, x.shape[-1] - most + 1)
    bands = jnp.arange(x.shape[-1])[None]
    masked = (bands >= first) & (bands < first + width)
    return jnp.where(masked[:, None], fill[None, None], x)
