"""The best detector this house has: densities of three widths of window, averaged.

    python -m experiments.run --config=configs/best.py

Each member is the Group MADE of `gmade_id.py`, which knows the machine id, on windows of 3, 5 and 7
frames. How it was chosen, without test clips, is in experiments/README.md. Needs two ids or more.
"""

from ml_collections import ConfigDict

from configs import gmade_id
from configs.ensembles import ensemble_of


def get_config() -> ConfigDict:
    """Returns the experiment."""
    return ensemble_of(frames_3=density(3), frames_5=density(5), frames_7=density(7))


def density(num_frames: int) -> ConfigDict:
    """The middle frame of so many, given the others and the id."""
    config = gmade_id.get_config()
    config.window.num_frames = num_frames
    config.model.train_frames = config.model.score_frames = (num_frames // 2,)
    config.train.num_epochs = 30
    return config
