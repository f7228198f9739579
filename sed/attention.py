"""A detector whose attention marks the event.

Wang, Kao and Wang, "A simple model for detection of rare sound events", Interspeech 2018
(arXiv 1808.06676; US 10,418,957).

Recurrent layers halve the time resolution again and again and come back up; a classifier of frames
says p_t = sigmoid(w·h_t + b) of each; attention is alpha_t = p_t / sum of p; and the *same*
classifier says of sum alpha_t h_t whether the clip has the event. The loss is the clip's
cross-entropy plus, where the event is there, lambda times its frames'.

Ours to choose: the layers' sizes, that resolution is halved by taking the larger of two frames and
doubled by repeating them, and that each layer on the way up also reads the one of its resolution
on the way down.
"""

from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from sed.losses import active_frames, bernoulli_nats, is_there, mean_of
from sed.recurrent import BiGRU


class Attended(NamedTuple):
    """What the network says of clips.

    Attributes:
        clip: logit of the event's being there.
        frames: logits of each frame's being in it.
    """

    clip: Float[Array, " batch"]
    frames: Float[Array, "batch frames"]


class AttentionDetector(nn.Module):
    """From log-mels to the logits of clips and frames.

    Attributes:
        features: units of each recurrent layer, each way.
        num_halvings: of the time resolution.
        dropout_rate: of what the frame classifier reads.
    """

    features: int
    num_halvings: int
    dropout_rate: float

    @nn.compact
    def __call__(self, x: Float[Array, "batch frames mels"], train: bool = False) -> Attended:
        """Logits of clips, and of their frames at full resolution."""
        h = nn.relu(nn.Dense(2 * self.features)(x))
        down = []
        for _ in range(self.num_halvings):
            down.append(BiGRU(self.features)(h))
            h = halved(down[-1])
        h = BiGRU(self.features)(h)
        for finer in reversed(down):
            both = jnp.concatenate([doubled(h, finer.shape[1]), finer], -1)
            h = nn.relu(nn.Dense(2 * self.features)(both))
        h = nn.Dropout(self.dropout_rate)(h, deterministic=not train)
        classify = nn.Dense(1)
        frames = classify(h)[..., 0]
        clip = jnp.einsum("bt,btd->bd", attention(frames), h)
        return Attended(classify(clip)[..., 0], frames)


def halved(h: Float[Array, "batch frames dims"]) -> Float[Array, "batch half dims"]:
    """The larger of every two frames; an odd last one stands alone."""
    return nn.max_pool(h, (2,), (2,), padding="SAME")


def doubled(h: Float[Array, "batch half dims"], num_frames: int) -> Float[Array, "batch frames d"]:
    """Every frame twice, up to so many."""
    return jnp.repeat(h, 2, axis=1)[:, :num_frames]


def attention(frames: Float[Array, "batch frames"]) -> Float[Array, "batch frames"]:
    """alpha_t = p_t / sum of p, from logits; by logarithms, so that no clip divides by zero."""
    return jax.nn.softmax(jax.nn.log_sigmoid(frames), axis=-1)


def loss(
    said: Attended, truth: Float[Array, "batch 2"], hop_seconds: float, frame_weight: float
) -> tuple[Float[Array, ""], dict[str, Array]]:
    """Cross-entropy of clips plus `frame_weight` (lambda) times that of frames, nats.

    Args:
        said: by the network.
        truth: (onset, offset) in seconds, (-1, -1) where there is no event.
        hop_seconds: from frame to frame.
        frame_weight: lambda.
    """
    there = is_there(truth)
    active = active_frames(truth, said.frames.shape[1], hop_seconds)
    clip_nats = bernoulli_nats(said.clip, there).mean()
    frame_nats = mean_of(bernoulli_nats(said.frames, active).mean(-1), there)
    total = clip_nats + frame_weight * frame_nats
    return total, {"clip": clip_nats, "frames": frame_nats}
