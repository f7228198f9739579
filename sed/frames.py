"""DCASE 2017's baseline for rare events (Heittola and Mesaros): frames judged one by one.

40 log-mel bands of five frames, two layers of 50 rectified units with dropout, one sigmoid; its
frames' probabilities are cut at a threshold and smoothed by a median filter of 0.54 s.
"""

import flax.linen as nn
from jaxtyping import Array, Float

from sed.losses import active_frames, bernoulli_nats


class FrameClassifier(nn.Module):
    """From log-mels to a logit for each frame.

    Attributes:
        hidden: units of each layer.
        context: frames that a frame is judged by, itself in their middle.
        dropout_rate: after each layer.
    """

    hidden: tuple[int, ...]
    context: int
    dropout_rate: float

    @nn.compact
    def __call__(
        self, x: Float[Array, "batch frames mels"], train: bool = False
    ) -> Float[Array, "batch frames"]:
        """Logits; beyond a clip's ends there is the mean spectrum."""
        for i, units in enumerate(self.hidden):
            x = nn.relu(nn.Conv(units, (self.context if i == 0 else 1,))(x))
            x = nn.Dropout(self.dropout_rate)(x, deterministic=not train)
        return nn.Dense(1)(x)[..., 0]


def loss(
    frames: Float[Array, "batch frames"], truth: Float[Array, "batch 2"], hop_seconds: float
) -> tuple[Float[Array, ""], dict[str, Array]]:
    """Cross-entropy of frames, nats."""
    nats = bernoulli_nats(frames, active_frames(truth, frames.shape[1], hop_seconds)).mean()
    return nats, {}
