"""Spans of time: how much they overlap, what one is relative to another, and which to keep.

A span is (onset, offset), in seconds throughout. Its code relative to an anchor is that of Faster
R-CNN's boxes (Ren et al., 2015, equation 2) in one dimension: how far the centre has moved, in
lengths of the anchor, and the logarithm of the ratio of their lengths.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

SHORTEST = 1e-3  # seconds; no span is taken for shorter
LONGEST_RATIO = 4.0  # a code may make an anchor at most exp(4) times as long


def iou(a: Float[Array, "n 2"], b: Float[Array, "m 2"]) -> Float[Array, "n m"]:
    """Intersection over union of every span of one set with every one of another."""
    onset = jnp.maximum(a[:, None, 0], b[None, :, 0])
    offset = jnp.minimum(a[:, None, 1], b[None, :, 1])
    both = jnp.maximum(offset - onset, 0.0)
    either = length(a)[:, None] + length(b)[None, :] - both
    return both / jnp.maximum(either, SHORTEST)


def length(spans: Float[Array, "*n 2"]) -> Float[Array, "*n"]:
    """Of each span, seconds."""
    return spans[..., 1] - spans[..., 0]


def encode(anchors: Float[Array, "*n 2"], spans: Float[Array, "*n 2"]) -> Float[Array, "*n 2"]:
    """The code of each span relative to its anchor."""
    own = jnp.maximum(length(spans), SHORTEST)
    anchor = jnp.maximum(length(anchors), SHORTEST)
    moved = (spans.mean(-1) - anchors.mean(-1)) / anchor
    return jnp.stack([moved, jnp.log(own / anchor)], -1)


def decode(anchors: Float[Array, "*n 2"], codes: Float[Array, "*n 2"]) -> Float[Array, "*n 2"]:
    """The span of each code relative to its anchor."""
    anchor = length(anchors)
    centre = anchors.mean(-1) + codes[..., 0] * anchor
    own = anchor * jnp.exp(jnp.minimum(codes[..., 1], LONGEST_RATIO))
    return jnp.stack([centre - 0.5 * own, centre + 0.5 * own], -1)


def nested_anchors(
    num_positions: int, hop_seconds: float, lengths: tuple[float, ...]
) -> Float[Array, "anchors 2"]:
    """Anchors of every length about every position, position by position.

    Args:
        num_positions: the first is centred on time zero.
        hop_seconds: from one to the next.
        lengths: seconds.
    """
    centres = hop_seconds * jnp.arange(num_positions, dtype=jnp.float32)[:, None]
    halves = 0.5 * jnp.array(lengths, jnp.float32)[None]
    return jnp.stack([centres - halves, centres + halves], -1).reshape(-1, 2)


def suppress(
    spans: Float[Array, "n 2"], scores: Float[Array, " n"], max_iou: float, num_kept: int
) -> tuple[Float[Array, "kept 2"], Float[Array, " kept"]]:
    """Non-maximum suppression: the best span, then the best of those that overlap none kept.

    Args:
        spans: candidates.
        scores: theirs, finite; the highest is the best.
        max_iou: what overlaps a span that is kept by more is dropped.
        num_kept: how many to keep.

    Returns:
        spans and scores, best first; where too few are left, a score of -inf.
    """

    def keep(left: Array, _: None) -> tuple[Array, tuple[Array, Array]]:
        best = jnp.argmax(left)
        overlap = iou(spans[best][None], spans)[0] > max_iou
        gone = overlap | (jnp.arange(len(left)) == best)
        return jnp.where(gone, -jnp.inf, left), (spans[best], left[best])

    _, kept = jax.lax.scan(keep, scores, None, length=num_kept)
    return kept
