"""System 1 of Giri et al.: MobileNetV2, ResNet-50 and Group MADE.

python -m experiments.run --config=configs/system1.py
"""

from ml_collections import ConfigDict

from configs import gmade_idnn, ssl_mobilenet, ssl_resnet50
from configs.ensembles import ensemble_of


def get_config() -> ConfigDict:
    """Returns the experiment."""
    return ensemble_of(
        mobilenet_v2=ssl_mobilenet.get_config(),
        resnet50=ssl_resnet50.get_config(),
        group_made=gmade_idnn.get_config(),
    )
