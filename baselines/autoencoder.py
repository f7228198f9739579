"""Autoencoders: what passes a narrow place comes out as it went in, if it has been seen before."""

from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


class Outputs(NamedTuple):
    """What an autoencoder makes of its inputs.

    Attributes:
        prediction: (batch, ...), what the decoder puts out.
        code: (batch, latent), where inputs lie in the narrow place; the mean of a variational one.
        kl: (batch,) nats between the code's distribution and a standard normal; else zeros.
    """

    prediction: Array
    code: Float[Array, "batch latent"]
    kl: Float[Array, " batch"]


class Autoencoder(nn.Module):
    """An encoder, a narrow place and a decoder; a variational one draws codes (Kingma, 2014).

    Attributes:
        encoder: `(x, train) -> (batch, features)`.
        narrow: `(features, train) -> (batch, latent)`, the code.
        decoder: `(code, train) -> prediction`.
        log_variance: of a variational one, `(features, train) -> (batch, latent)`.
    """

    encoder: nn.Module
    narrow: nn.Module
    decoder: nn.Module
    log_variance: nn.Module | None = None

    def __call__(self, x: Array, train: bool = False) -> Outputs:
        """Codes and predictions.

        Args:
            x: (batch, ...) inputs.
            train: whether batch norm uses the batch's moments, and whether codes are drawn, with
                the `rngs` named `code`, or else are the means.
        """
        features = self.encoder(x, train)
        code = self.narrow(features, train)
        if self.log_variance is None:
            return Outputs(self.decoder(code, train), code, jnp.zeros(len(x)))
        log_variance = self.log_variance(features, train)
        drawn = code
        if train:
            noise = jax.random.normal(self.make_rng("code"), code.shape)
            drawn = code + jnp.exp(log_variance / 2) * noise
        return Outputs(self.decoder(drawn, train), code, kl_divergence(code, log_variance))


def kl_divergence(
    mean: Float[Array, "batch latent"], log_variance: Float[Array, "batch latent"]
) -> Float[Array, " batch"]:
    """Nats from independent normals to standard normals: KL(N(mean, variance) || N(0, 1))."""
    return 0.5 * (jnp.square(mean) + jnp.exp(log_variance) - 1 - log_variance).sum(-1)
