"""PANNs Cnn14 embeddings and their Mahalanobis distance, per id (Kong et al., 2020; Argese et al.).

    python -m experiments.run --config=configs/panns.py

Nothing is trained. The published weights are needed: without them one line says where they are.
"""

from ml_collections import ConfigDict
from ml_collections.config_dict import placeholder

from configs import defaults


def get_config() -> ConfigDict:
    """Returns the experiment."""
    config = defaults.get_config()
    config.method = "embedding"
    config.window.num_frames, config.window.hop = 1, 1
    embedding = config.embedding = ConfigDict()
    embedding.network = "cnn14"  # vggish, tflite, or npy for ready embeddings in place of sound
    # Converted or published weights, or the .tflite model; unset: those that are kept.
    embedding.weights = placeholder(str)
    embedding.pooled = True  # a clip's embeddings become their mean
    embedding.output = placeholder(str)  # tflite: the output that is the embedding
    embedding.sample_rate = 16000  # tflite: Hz, which its file does not say
    config.model = ConfigDict(dict(score="mahalanobis"))  # or euclidean, cosine
    return config
