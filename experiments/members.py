"""From a machine and a config to a model that is ready to be trained."""

from pathlib import Path
from typing import Any

import numpy as np

from experiments.batches import Batches
from experiments.data import Machine, training_windows
from experiments.methods import build
from experiments.overrides import override
from experiments.processes import gather_rows
from experiments.track import Member


def member_of(machine: Machine, config: Any, workdir: Path) -> Member:
    """A machine's model, to be trained in its own directory of an experiment's.

    Where `window.num_frames` is 0, windows are as long as the shortest of the machine's clips.
    """
    if config.window.num_frames == 0:
        shortest = shortest_clip(machine)
        config = override(config, {"window.num_frames": shortest, "window.hop": shortest})
    windows, classes = training_windows(machine, config)
    batches = Batches(windows, classes, config.train.batch_size, config.seed)
    method = build(config, len(machine.ids))
    return Member(machine.name, method, batches, config, workdir / machine.name)


def shortest_clip(machine: Machine) -> int:
    """Frames of a machine's shortest clip, over all processes."""
    splits = (machine.train, machine.test, *machine.copies)
    return int(gather_rows(np.concatenate([split.mine.num_frames for split in splits])).min())
