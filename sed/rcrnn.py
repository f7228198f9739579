"""R-CRNN: events are regions in time, proposed, judged and corrected.

Kao et al., "R-CRNN: region-based convolutional recurrent neural network for audio event detection",
Interspeech 2018 (arXiv 1808.06627; US 10,803,885).

A residual convolutional front end and a recurrent layer on top; at each position anchors of several
lengths, each with its objectness and a correction of its centre and length (the region proposal
network of Faster R-CNN, in time); the best of these regions are pooled from the features and judged
by a second classifier, which corrects them once more. Trained end to end. Without the second stage
the proposals themselves are the detections.

Ours to choose: sizes, the anchors' lengths, what counts as a hit (IoU), that of the anchors that
miss only the most confident are learned from (as in SSD; Liu et al., 2016), that training adds
the true span to the regions, and the losses' weights, which are one.
"""

import math
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from sed.front_end import STEM_STRIDE, FrontEnd
from sed.intervals import decode, length, nested_anchors, suppress
from sed.recurrent import BiGRU


class Said(NamedTuple):
    """What is said of some spans: a logit of each one's being the event, and its correction."""

    logits: Float[Array, "batch n"]
    codes: Float[Array, "batch n 2"]


class Regions(NamedTuple):
    """What the network says of clips.

    Attributes:
        anchors: spans in seconds, the same in every clip.
        proposed: of each anchor.
        regions: the best anchors as corrected, and in training the truth; none without the second
            stage.
        judged: of each region, by the second stage.
    """

    anchors: Float[Array, "anchors 2"]
    proposed: Said
    regions: Float[Array, "batch regions 2"]
    judged: Said


class RCRNN(nn.Module):
    """From log-mels to regions and what is said of them.

    Attributes:
        hop_seconds: from frame to frame.
        channels, pools, features: of the front end.
        recurrent: units of the recurrent layer, each way.
        lengths: of the anchors, seconds.
        num_regions: proposals that the second stage judges; 0 for no second stage.
        max_iou: of proposals that are kept beside one another.
        num_points: a region is pooled at so many points.
        dropout_rate: of what both stages read.
    """

    hop_seconds: float
    channels: tuple[int, ...]
    pools: tuple[tuple[int, int], ...]
    features: int
    recurrent: int
    lengths: tuple[float, ...]
    num_regions: int
    max_iou: float
    num_points: int
    dropout_rate: float

    @nn.compact
    def __call__(
        self,
        x: Float[Array, "batch frames mels"],
        truth: Float[Array, "batch 2"] | None = None,
        train: bool = False,
    ) -> Regions:
        """Both stages; where the truth is given it is among the regions."""
        hop = self.hop_seconds * self.time_pool
        h = BiGRU(self.recurrent)(FrontEnd(self.channels, self.pools, self.features)(x))
        h = nn.Dropout(self.dropout_rate)(h, deterministic=not train)
        # A step's middle frame is later than its first by half of what it pools.
        start = 0.5 * (hop - self.hop_seconds)
        anchors = start + nested_anchors(h.shape[1], hop, self.lengths)
        shared = nn.relu(nn.Conv(self.features, (3,))(h))
        proposed = _say(shared, len(self.lengths))
        if not self.num_regions:
            none = jnp.zeros((len(x), 0, 2))
            return Regions(anchors, proposed, none, Said(none[..., 0], none))
        spans = decode(jnp.broadcast_to(anchors, proposed.codes.shape), proposed.codes)
        end = hop * h.shape[1]
        best = jax.vmap(lambda s, p: suppress(s, p, self.max_iou, self.num_regions)[0])
        # Where regions lie is the first stage's to learn: no gradient of the second reaches it.
        regions = jax.lax.stop_gradient(best(jnp.clip(spans, 0.0, end), proposed.logits))
        if truth is not None:
            regions = jnp.concatenate([regions, truth[:, None]], 1)
        pooled = jax.vmap(lambda f, r: pool_regions(f, r - start, hop, self.num_points))(h, regions)
        z = nn.relu(nn.Dense(self.features)(pooled.reshape(*pooled.shape[:2], -1)))
        z = nn.Dropout(self.dropout_rate)(z, deterministic=not train)
        return Regions(anchors, proposed, regions, _say(z, 1))

    @property
    def time_pool(self) -> int:
        """Frames in a position."""
        return STEM_STRIDE[0] * math.prod(time for time, _ in self.pools)


def detections(
    said: Regions,
) -> tuple[Float[Array, "batch n 2"], Float[Array, "batch n"]]:
    """The spans that the last stage there is speaks of, corrected, and their logits."""
    if said.regions.shape[1]:
        return decode(said.regions, said.judged.codes), said.judged.logits
    anchors = jnp.broadcast_to(said.anchors, said.proposed.codes.shape)
    return decode(anchors, said.proposed.codes), said.proposed.logits


def _say(h: Float[Array, "batch n dims"], num_each: int) -> Said:
    """A logit and a code for each of the anchors at each position."""
    logits = nn.Dense(num_each)(h)
    codes = nn.Dense(2 * num_each)(h)
    return Said(logits.reshape(len(h), -1), codes.reshape(len(h), -1, 2))


def pool_regions(
    h: Float[Array, "steps dims"],
    regions: Float[Array, "regions 2"],
    hop_seconds: float,
    num_points: int,
) -> Float[Array, "regions points dims"]:
    """Features of each region, equally many whatever its length.

    A region is cut into equal parts, and each is the mean of the steps in it, those near its edges
    counting in part; a part shorter than a step is interpolated between two.

    Args:
        h: step i is at `i * hop_seconds`.
        regions: (onset, offset), seconds.
        hop_seconds: from step to step.
        num_points: parts of a region.
    """
    part = (jnp.arange(num_points, dtype=jnp.float32) + 0.5) / num_points
    centres = regions[:, :1] + length(regions)[:, None] * part[None]
    reach = jnp.maximum(length(regions)[:, None] / num_points, hop_seconds)
    # Steps outside the clip count as its first and last.
    centres = jnp.clip(centres, 0.0, hop_seconds * (len(h) - 1))
    steps = hop_seconds * jnp.arange(len(h), dtype=jnp.float32)
    distance = jnp.abs(steps[None, None] - centres[..., None]) / reach[..., None]
    weights = jnp.maximum(1.0 - distance, 0.0)
    weights = weights / weights.sum(-1, keepdims=True)
    return jnp.einsum("rpt,td->rpd", weights, h)
