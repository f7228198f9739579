"""The old hands: networks that others trained, whose embeddings a simple distance can judge."""

from baselines import cnn14, vggish
from baselines.errors import WeightsError
from baselines.weights import load_weights, weights_dir

__all__ = ["WeightsError", "cnn14", "load_weights", "vggish", "weights_dir"]
