"""Ablation: depth, bottleneck, width, and frames of context.

    python -m experiments.sweep --config=configs/ablate_network.py

One thing at a time is changed of the report's network (nine layers of 128, 32 in the middle, five
frames): the middle frame given the others, ten epochs, three seeds of each.
"""

from collections.abc import Iterator
from typing import Any

from ml_collections import ConfigDict

from configs import gmade_idnn

AS_PUBLISHED = dict(depth=9, width=128, bottleneck=32, num_frames=5)
CHANGES = (
    ("depth", (1, 3, 5)),
    ("bottleneck", (8, 128)),
    ("width", (64, 256, 512)),
    ("num_frames", (3, 7, 9)),
)


def get_config() -> ConfigDict:
    """Returns what all points have in common."""
    config = gmade_idnn.get_config()
    config.train.num_epochs = 10
    return config


def sweep() -> Iterator[dict[str, Any]]:
    """Yields the points, those of a seed together."""
    for seed in range(3):
        yield {"name": "as published", "seed": seed, **overrides(**AS_PUBLISHED)}
        for what, values in CHANGES:
            for value in values:
                network = AS_PUBLISHED | {what: value}
                yield {"name": f"{what} {value}", "seed": seed, **overrides(**network)}


def overrides(depth: int, width: int, bottleneck: int, num_frames: int) -> dict[str, Any]:
    """A network of so many layers, the middle one narrower, on windows of so many frames."""
    hidden = [width] * depth
    if depth > 1:
        hidden[depth // 2] = bottleneck
    middle = (num_frames // 2,)
    return {
        "model.hidden": tuple(hidden),
        "window.num_frames": num_frames,
        "model.train_frames": middle,
        "model.score_frames": middle,
    }
