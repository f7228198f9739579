"""A small MobileNetV2 that tells machine ids apart, in minutes on two CPU cores.

python -m experiments.run --config=configs/ssl_small.py
"""

from ml_collections import ConfigDict

from configs import ssl_mobilenet


def get_config() -> ConfigDict:
    """Returns the experiment."""
    config = ssl_mobilenet.get_config()
    config.model.width = 0.25
    config.train.num_epochs = 4
    return config
