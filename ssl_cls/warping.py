"""Spectral warping: images bent along time and frequency, as if another machine had made them.

The report says no more than "a polynomial warping using opencv's geometrical transformation
functions". Here a *kind* of warp is a polynomial displacement of each axis, drawn once, so that
networks can learn to tell kinds apart; how far an image is bent is drawn anew every time. The
displacement vanishes at both ends of an axis: nothing is pulled in from outside the image. Values
in between are interpolated linearly, in dB.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

TERMS = 3
GRID = 257


def draw_warps(
    key: PRNGKeyArray, num_kinds: int, strength: float = 0.5, axes: tuple[int, ...] = (0, 1)
) -> Float[Array, "kinds 2 terms"]:
    """Draws the polynomials of some kinds of warp, for time and for frequency.

    The displacement of an axis, whose ends are at -1 and 1, is `(1 - u^2) sum_n a_n u^n`.

    Args:
        key: for the coefficients.
        num_kinds: how many.
        strength: by how much an axis is stretched or squeezed where that is most, as a share.
            Every kind does so exactly: one that hardly bends could not be told from no warp.
        axes: those that are bent, of 0 (time) and 1 (mel frequency).

    Raises:
        ValueError: a strength at which an axis would fold over.
    """
    if not 0 < strength < 1:
        raise ValueError(f"strength={strength} must be above 0 and below 1")
    coefficients = jax.random.normal(key, (num_kinds, 2, TERMS))
    u = jnp.linspace(-1, 1, GRID)
    stretch = jnp.diff(displacement(coefficients, u)) / (u[1] - u[0])
    steepest = jnp.abs(stretch).max(-1, keepdims=True)
    bent = jnp.array([[float(axis in axes)] for axis in range(2)])
    return strength * bent[None] * coefficients / steepest


def displacement(
    coefficients: Float[Array, "*batch terms"], u: Float[Array, "points"]
) -> Float[Array, "*batch points"]:
    """How far each point moves, of an axis from -1 to 1."""
    return coefficients @ jnp.stack([(1 - u**2) * u**n for n in range(coefficients.shape[-1])])


def warped(
    images: Float[Array, "batch time mels"],
    coefficients: Float[Array, "batch 2 terms"],
) -> Float[Array, "batch time mels"]:
    """The images, each bent by its own polynomials; zeros leave it as it is."""
    along = [_sources(coefficients[:, axis], images.shape[axis + 1]) for axis in range(2)]
    over_time, over_mels = (
        _interpolation(sources, size) for sources, size in zip(along, images.shape[1:], strict=True)
    )
    return over_time @ images @ over_mels.swapaxes(1, 2)


def _sources(coefficients: Float[Array, "batch terms"], size: int) -> Float[Array, "batch size"]:
    """Where on an axis of so many pixels each pixel comes from."""
    u = jnp.linspace(-1, 1, size)
    return (u[None] + displacement(coefficients, u) + 1) * (size - 1) / 2


def _interpolation(sources: Float[Array, "batch out"], size: int) -> Float[Array, "batch out size"]:
    """Linear interpolation as a matrix: rows are hat functions, and sum to one."""
    at = jnp.clip(sources, 0, size - 1)[..., None]
    pixels = jnp.arange(size, dtype=jnp.float32)[None, None]
    return jnp.maximum(1 - jnp.abs(at - pixels), 0.0)
