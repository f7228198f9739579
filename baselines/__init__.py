"""The old hands: what a density is compared with."""

from baselines.autoencoder import Autoencoder, Outputs, kl_divergence
from baselines.conv import ConvDecoder, ConvEncoder
from baselines.dense import Dense, DenseLayers

__all__ = [
    "Autoencoder",
    "ConvDecoder",
    "ConvEncoder",
    "Dense",
    "DenseLayers",
    "Outputs",
    "kl_divergence",
]
