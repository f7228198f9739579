"""The old hands: autoencoders, and distances between embeddings that others' networks make."""

from baselines import cnn14, distances, tflite, vggish
from baselines.autoencoder import Autoencoder, Outputs, kl_divergence
from baselines.conv import ConvDecoder, ConvEncoder
from baselines.dense import Dense, DenseLayers
from baselines.errors import WeightsError
from baselines.weights import load_weights, weights_dir

__all__ = [
    "Autoencoder",
    "ConvDecoder",
    "ConvEncoder",
    "Dense",
    "DenseLayers",
    "Outputs",
    "WeightsError",
    "cnn14",
    "distances",
    "kl_divergence",
    "load_weights",
    "tflite",
    "vggish",
    "weights_dir",
]
