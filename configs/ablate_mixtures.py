"""Ablation: how many Gaussians a bin, and one Gaussian without a mixture around it.

    python -m experiments.sweep --config=configs/ablate_mixtures.py

The middle frame given the other four, ten epochs, three seeds of each. To train all of a seed's
mixtures as one program, as an accelerator likes: --config.model.max_components=20.
"""

from collections.abc import Iterator
from typing import Any

from ml_collections import ConfigDict

from configs import gmade_idnn


def get_config() -> ConfigDict:
    """Returns what all points have in common."""
    config = gmade_idnn.get_config()
    config.train.num_epochs = 10
    return config


def sweep() -> Iterator[dict[str, Any]]:
    """Yields the points, those of a seed together."""
    for seed in range(3):
        yield {
            "name": "Gaussian",
            "seed": seed,
            "model.num_components": 0,
            "model.max_components": 0,
        }
        for num_components in (1, 2, 5, 10, 20):
            yield {"name": f"C = {num_components}", "seed": seed} | {
                "model.num_components": num_components
            }
