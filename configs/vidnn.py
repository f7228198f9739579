"""The variational IDNN (Suefusa et al., 2020): its code is drawn.

python -m experiments.run --config=configs/vidnn.py
"""

from ml_collections import ConfigDict

from configs import idnn


def get_config() -> ConfigDict:
    """Returns the experiment."""
    config = idnn.get_config()
    config.model.rectify_code = False
    config.model.variational, config.model.beta = True, 1.0
    return config
