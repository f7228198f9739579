"""System 2 of Giri et al.: MobileNetV2 and Group MADE.

python -m experiments.run --config=configs/system2.py
"""

from ml_collections import ConfigDict

from configs import gmade_idnn, ssl_mobilenet
from configs.ensembles import ensemble_of


def get_config() -> ConfigDict:
    """Returns the experiment."""
    return ensemble_of(mobilenet_v2=ssl_mobilenet.get_config(), group_made=gmade_idnn.get_config())
