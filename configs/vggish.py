"""VGGish embeddings and their Mahalanobis distance, per id (Hershey et al., 2017; Argese et al.).

    python -m experiments.run --config=configs/vggish.py

As `panns.py`, with VGGish's 128 principal components, averaged over a clip.
"""

from ml_collections import ConfigDict

from configs import panns


def get_config() -> ConfigDict:
    """Returns the experiment."""
    config = panns.get_config()
    config.embedding.network = "vggish"
    return config
