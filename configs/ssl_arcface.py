"""MobileNetV2 with ArcFace's margin (Giri et al., System 3; Deng et al., CVPR 2019).

python -m experiments.run --config=configs/ssl_arcface.py
"""

from ml_collections import ConfigDict

from configs import ssl_mobilenet


def get_config() -> ConfigDict:
    """Returns the experiment."""
    config = ssl_mobilenet.get_config()
    config.model.head = "arcface"
    return config
