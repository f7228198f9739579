"""A pyramid of recurrent layers over snippets of a stream, and one above it that remembers.

Tang et al., "Contextual pyramidal media detection" (ICASSP 2019); US patent 11,069,352. In the
pyramid each layer is given only every third or fourth output of the one below, so that what is
passed on has to carry what was skipped. A higher-level recurrent layer goes from snippet to
snippet:

    none    no such layer: snippets are judged one by one
    top     the pyramid's vectors go to it, and it decides
    middle  it reads the middle layer once a snippet, and the top layer is given its output with the
            middle layer's own at every step

Ours to choose, since it is not public: gated recurrent units; the first layer reads every step of
the features; of every run of outputs the last is read, so that a snippet's last always is; "the
middle layer" of more than three is the one below the top.
"""

from collections.abc import Sequence

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from sed.recurrent import GRU, BiGRU
from sed.snippet_features import SnippetFeatures

CONTEXTS = ("none", "top", "middle")


def every(x: Float[Array, "batch time dims"], stride: int) -> Float[Array, "batch kept dims"]:
    """Every so many outputs, the last of them all among them."""
    return x[:, (x.shape[1] - 1) % stride :: stride]


class OverSnippets(nn.Module):
    """The higher-level recurrent layer: a vector a snippet in, a vector a snippet out.

    Attributes:
        features: units.
        both: also from the stream's end to its beginning, which needs all of a stream at once.
    """

    features: int
    both: bool = False

    @nn.compact
    def __call__(
        self, x: Float[Array, "streams snippets dims"]
    ) -> Float[Array, "streams snippets heard"]:
        """What has been heard so far; of both ways `heard` is twice the units."""
        return (BiGRU if self.both else GRU)(self.features)(x)


class Pyramid(nn.Module):
    """Log odds that a snippet is media, for all snippets of streams.

    Attributes:
        extractor: makes features of snippets.
        features: units of the pyramid's layers, from the bottom up.
        strides: for each layer but the top, of how many outputs the layer above reads one.
        context: `none`, `top` or `middle`.
        context_features: units of the higher-level layer.
        both: whether it also goes backwards.
        dropout: share of what the decision reads, and of what the pyramid reads, that is silenced
            in training.
    """

    extractor: SnippetFeatures
    features: Sequence[int]
    strides: Sequence[int]
    context: str = "middle"
    context_features: int = 64
    both: bool = False
    dropout: float = 0.0

    @nn.compact
    def __call__(
        self, snippets: Float[Array, "streams snippets time mels"], train: bool = False
    ) -> Float[Array, "streams snippets"]:
        """Log odds.

        Args:
            snippets: standardised log-mels of successive snippets.
            train: drop out; needs `rngs={"dropout": key}`.
        """
        size = (snippets.shape[0], snippets.shape[1])
        drop = nn.Dropout(self.dropout, deterministic=not train)
        x = drop(self.extractor(snippets.reshape(-1, *snippets.shape[2:])))
        *below, top = self.features
        for units, stride in zip(below, self.strides, strict=True):
            x = every(GRU(units)(x), stride)
        if self.context == "middle":
            heard = self._over_snippets(x[:, -1], size)
            steps = jnp.broadcast_to(heard[:, None], (*x.shape[:2], heard.shape[-1]))
            x = jnp.concatenate([x, steps], -1)
        vector = GRU(top)(x)[:, -1]
        if self.context == "top":
            vector = self._over_snippets(vector, size)
        return nn.Dense(1)(drop(vector)).reshape(size)

    def _over_snippets(
        self, vectors: Float[Array, "all dims"], size: tuple[int, int]
    ) -> Float[Array, "all heard"]:
        """The higher-level layer over one vector a snippet."""
        layer = OverSnippets(self.context_features, self.both, name="over_snippets")
        heard = layer(vectors.reshape(*size, -1))
        return heard.reshape(len(vectors), -1)
