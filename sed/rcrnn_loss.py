"""R-CRNN's multi-task loss: which spans are the event, and where exactly, in both stages."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from sed.intervals import encode, iou
from sed.losses import bernoulli_nats, is_there, mean_of, smooth_l1
from sed.rcrnn import Regions, Said


def loss(
    said: Regions,
    truth: Float[Array, "batch 2"],
    hit_iou: float,
    miss_iou: float,
    num_misses: int,
) -> tuple[Float[Array, ""], dict[str, Array]]:
    """Cross-entropy plus smooth L1 of the hits' codes, of the proposals and of the regions.

    Args:
        said: by the network, which was given the truth.
        truth: (onset, offset) in seconds, (-1, -1) where there is no event.
        hit_iou: an anchor that overlaps the event so much is a hit, as is the one that does most.
        miss_iou: one that overlaps it less is a miss; those between are left out.
        num_misses: the most confident misses of each clip, from which alone is learned.
    """
    anchors = jnp.broadcast_to(said.anchors, (len(truth), *said.anchors.shape))
    overlaps = jax.vmap(lambda t: iou(said.anchors, t[None])[:, 0])(truth)
    best = (overlaps == overlaps.max(-1, keepdims=True)) & (overlaps > 0)
    hits = ((overlaps >= hit_iou) | best) & is_there(truth)[:, None]
    misses = hardest((overlaps < miss_iou) & ~hits, said.proposed.logits, num_misses)
    metrics = stage("proposals", said.proposed, anchors, truth, hits, misses)
    if said.regions.shape[1]:
        overlaps = jax.vmap(lambda r, t: iou(r, t[None])[:, 0])(said.regions, truth)
        hits = (overlaps >= hit_iou) & is_there(truth)[:, None]
        # Where no event is, its place among the regions holds none.
        real = said.regions[..., 1] > said.regions[..., 0]
        misses = (overlaps < hit_iou) & real & ~hits
        metrics |= stage("regions", said.judged, said.regions, truth, hits, misses)
    return sum(metrics.values(), jnp.zeros(())), metrics


def hardest(
    misses: Bool[Array, "batch n"], logits: Float[Array, "batch n"], num: int
) -> Bool[Array, "batch n"]:
    """The misses that are most confidently taken for hits, so many of each clip."""
    confident = jnp.where(misses, jax.lax.stop_gradient(logits), -jnp.inf)
    least = jax.lax.top_k(confident, min(num, logits.shape[1]))[0][:, -1:]
    return misses & (confident >= least)


def stage(
    name: str,
    said: Said,
    spans: Float[Array, "batch n 2"],
    truth: Float[Array, "batch 2"],
    hits: Bool[Array, "batch n"],
    misses: Bool[Array, "batch n"],
) -> dict[str, Array]:
    """The losses of one stage: of what is there, and of where it is.

    Hits and misses count alike, however many there are of each.
    """
    nats = bernoulli_nats(said.logits, hits)
    wanted = encode(spans, jnp.broadcast_to(truth[:, None], spans.shape))
    return {
        f"{name}_class": mean_of(nats, hits) + mean_of(nats, misses),
        f"{name}_span": mean_of(smooth_l1(said.codes - wanted), hits),
    }
