"""Features other than log-mels: what a pretrained network makes of a recording."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Embedder(NamedTuple):
    """From recordings to embeddings, which then take the place of a log-mel's frames.

    Attributes:
        identity: of the network and its weights, which the cache goes by.
        sample_rate: Hz, at which it hears.
        num_dims: of an embedding.
        embed: `(samples,) -> (embeddings, num_dims)`, float32; raises ValueError, saying why, where
            a recording has none.
        pooled: whether a clip's embeddings, those that were ready among them, become their mean.
    """

    identity: str
    sample_rate: int
    num_dims: int
    embed: Callable[[np.ndarray], np.ndarray]
    pooled: bool = False
