"""Label augmentation: new machines made out of those there are (Giri et al., section 2.2.3).

Works on images in dB, before they are standardised. Classes are numbered `kind * num_ids + id`, so
that the untouched images of an id, kind 0, have the id's own number.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ssl_cls.warping import warped

NEPERS = math.log(10) / 10  # in a decibel of power
MIXTURES = ("none", "power", "db")


class Augmentation(NamedTuple):
    """What is done to a batch.

    Attributes:
        num_ids: classes that images come with: ids, or ids times copies resampled beforehand.
        mixture: `power`, linear combinations of mel power, before the log; `db`, after it; `none`.
        mixed_share: share of the images that are combined with another.
        warps: of `draw_warps`, every one a kind of its own; None for none.
    """

    num_ids: int
    mixture: str = "none"
    mixed_share: float = 0.5
    warps: Float[Array, "kinds 2 terms"] | None = None


def num_classes(augmentation: Augmentation) -> int:
    """Classes to tell apart: every id, and every id warped in every way."""
    kinds = 0 if augmentation.warps is None else len(augmentation.warps)
    return augmentation.num_ids * (1 + kinds)


def augment(
    key: PRNGKeyArray,
    augmentation: Augmentation,
    images: Float[Array, "batch time mels"],
    ids: Int[Array, "batch"],
) -> tuple[Float[Array, "batch time mels"], Float[Array, "batch classes"]]:
    """Warps, then mixes.

    Returns:
        The images, in dB, and each class's share of each.
    """
    warp_key, mix_key = jax.random.split(key)
    if augmentation.warps is not None:
        images, kinds = warp(warp_key, augmentation.warps, images)
        ids = kinds * augmentation.num_ids + ids
    targets = jax.nn.one_hot(ids, num_classes(augmentation))
    if augmentation.mixture == "none":
        return images, targets
    return mix(mix_key, augmentation.mixture, augmentation.mixed_share, images, targets)


def warp(
    key: PRNGKeyArray,
    warps: Float[Array, "kinds 2 terms"],
    images: Float[Array, "batch time mels"],
) -> tuple[Float[Array, "batch time mels"], Int[Array, "batch"]]:
    """Bends each image in a way drawn at random, by half to all of its strength.

    Returns:
        The images, and the kind of each: 0 for not at all, all kinds as likely.
    """
    kind_key, strength_key = jax.random.split(key)
    batch = len(images)
    kinds = jax.random.randint(kind_key, (batch,), 0, len(warps) + 1)
    strength = jax.random.uniform(strength_key, (batch, 1, 1), minval=0.5)
    all_kinds = jnp.concatenate([jnp.zeros_like(warps[:1]), warps])
    return warped(images, strength * all_kinds[kinds]), kinds


def mix(
    key: PRNGKeyArray,
    mixture: str,
    mixed_share: float,
    images: Float[Array, "batch time mels"],
    targets: Float[Array, "batch classes"],
) -> tuple[Float[Array, "batch time mels"], Float[Array, "batch classes"]]:
    """Combines images with partners drawn from the batch, in proportions uniform on (0, 1).

    A partner may be of the same id, or an image its own.

    Returns:
        The images, and targets combined in the same proportions.
    """
    partner_key, weight_key, mixed_key = jax.random.split(key, 3)
    batch = len(images)
    partner = jax.random.permutation(partner_key, batch)
    mixed = jax.random.bernoulli(mixed_key, mixed_share, (batch,))
    weight = jnp.where(mixed, jax.random.uniform(weight_key, (batch,)), 1.0)
    return (
        combined(images, images[partner], weight, mixture),
        weight[:, None] * targets + (1 - weight)[:, None] * targets[partner],
    )


def combined(
    first: Float[Array, "batch time mels"],
    second: Float[Array, "batch time mels"],
    weight: Float[Array, "batch"],
    mixture: str,
) -> Float[Array, "batch time mels"]:
    """`weight` of the first image and the rest of the second.

    Before the log, `10 log10(w S_1 + (1 - w) S_2 + eps)`: what two machines sound like together
    (and since `w eps + (1 - w) eps = eps`, nothing need be known of eps). After the log, the
    weighted mean of decibels.

    Raises:
        ValueError: a mixture that is not known.
    """
    w = weight[:, None, None]
    if mixture == "db":
        return w * first + (1 - w) * second
    if mixture == "power":
        log_power = jnp.logaddexp(NEPERS * first + jnp.log(w), NEPERS * second + jnp.log1p(-w))
        return log_power / NEPERS
    raise ValueError(f"mixture={mixture!r} is not known: use {', '.join(MIXTURES)}")
