"""System 4 of Giri et al.: Group MADE, as an ensemble of one, or with more members of your own.

python -m experiments.run --config=configs/system4.py
python -m experiments.run --config=configs/system4.py --config.scores=theirs=scores.csv
"""

from ml_collections import ConfigDict

from configs import gmade_idnn
from configs.ensembles import ensemble_of


def get_config() -> ConfigDict:
    """Returns the experiment."""
    return ensemble_of(group_made=gmade_idnn.get_config())
