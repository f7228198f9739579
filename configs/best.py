"""The best detector this house has: the density of `gmade_id.py` on windows of three and of five.

    python -m experiments.run --config=configs/best.py

Two members, both given the machine id and scored with their margin over the other ids; the mean of
their standardised scores. How they were chosen, without test clips, is in experiments/README.md.
Needs two ids or more.
"""

from ml_collections import ConfigDict

from configs import gmade_id
from configs.ensembles import ensemble_of


def get_config() -> ConfigDict:
    """Returns the experiment."""
    return ensemble_of(three_frames=density(3), five_frames=density(5))


def density(num_frames: int) -> ConfigDict:
    """The middle frame of so many, given the others and the id."""
    config = gmade_id.get_config()
    config.window.num_frames = num_frames
    config.model.train_frames = config.model.score_frames = (num_frames // 2,)
    config.train.num_epochs = 30
    return config
