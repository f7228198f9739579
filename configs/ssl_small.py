"""MobileNetV2 at half the resolution, which two CPU cores train in minutes.

python -m experiments.run --config=configs/ssl_small.py
"""

from ml_collections import ConfigDict

from configs import ssl_mobilenet


def get_config() -> ConfigDict:
    """Returns the experiment."""
    config = ssl_mobilenet.get_config()
    config.model.pool = 2
    config.train.num_epochs = 5
    return config
