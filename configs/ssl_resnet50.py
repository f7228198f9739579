"""A ResNet-50 that tells machine ids apart (Giri et al., System 1), for accelerators.

    python -m experiments.run --config=configs/ssl_resnet50.py

On a CPU add --config.train.steps_per_call=1: XLA's convolutions are several times slower in a loop.
"""

from ml_collections import ConfigDict

from configs import ssl_mobilenet


def get_config() -> ConfigDict:
    """Returns the experiment."""
    config = ssl_mobilenet.get_config()
    config.model.network = "resnet50"
    return config
