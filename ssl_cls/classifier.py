"""A network and a head, put together."""

from typing import NamedTuple

import flax.linen as nn
from jaxtyping import Array, Float


class Outputs(NamedTuple):
    """What a classifier says of a batch of images.

    Attributes:
        logits: one for each class; in training with the head's margin.
        embedding: what the head was given.
    """

    logits: Float[Array, "batch classes"]
    embedding: Float[Array, "batch embedding"]


class Classifier(nn.Module):
    """Tells classes of images apart.

    In training, with `mutable=["batch_stats"]` and `rngs={"dropout": key}`; to score, images alone:

        model = Classifier(MobileNetV2(width=0.5), Softmax(num_classes=4), dropout=0.2)
        variables = model.init(key, images)
        logits, embedding = model.apply(variables, images)

    Attributes:
        network: `(images, train) -> embedding`.
        head: `(embedding, targets) -> logits`.
        dropout: share of the embedding that is silenced in training.
        pool: side of the squares of pixels that are averaged before the network sees them.
    """

    network: nn.Module
    head: nn.Module
    dropout: float = 0.0
    pool: int = 1

    @nn.compact
    def __call__(
        self,
        images: Float[Array, "batch time mels"],
        targets: Float[Array, "batch classes"] | None = None,
        train: bool = False,
    ) -> Outputs:
        """Logits and embeddings.

        Args:
            images: standardised log-mels.
            targets: each class's share of each image; the head's margin needs them in training.
            train: normalise over the batch, and drop out.
        """
        embedding = self.network(pooled(images, self.pool)[..., None], train)
        kept = nn.Dropout(self.dropout)(embedding, deterministic=not train)
        return Outputs(self.head(kept, targets), embedding)


def pooled(
    images: Float[Array, "batch time mels"], side: int
) -> Float[Array, "batch out_time out_mels"]:
    """Means over squares of pixels; `side` divides both sides of the image."""
    batch, time, mels = images.shape
    return images.reshape(batch, time // side, side, mels // side, side).mean((2, 4))
