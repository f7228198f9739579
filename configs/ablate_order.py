"""Ablation: which frame may see which, what is trained and what is scored, id, size of a group.

    python -m experiments.sweep --config=configs/ablate_order.py

The report's network and mixture, five epochs, three seeds of each. `joint`: all frames are trained
and the density of the window is scored. `last`: only the last frame's, given all the others.
"""

from collections.abc import Iterator
from typing import Any

from ml_collections import ConfigDict

from configs import gmade_idnn

LAST_FRAME = {"causal": 4, "reversed": 0, "middle_last": 2, "first_last": 0}


def get_config() -> ConfigDict:
    """Returns what all points have in common."""
    config = gmade_idnn.get_config()
    config.train.num_epochs = 5
    return config


def sweep() -> Iterator[dict[str, Any]]:
    """Yields the points, those of a seed together."""
    for seed in range(3):
        for ordering, last in LAST_FRAME.items():
            yield point(f"{ordering}, joint", seed, (), (), ordering=ordering)
            yield point(f"{ordering}, last", seed, (last,), (last,), ordering=ordering)
        for ordering in ("causal", "middle_last"):
            last = (LAST_FRAME[ordering],)
            yield point(
                f"{ordering}, joint trained, last scored", seed, (), last, ordering=ordering
            )
        yield point("middle_last, last, given the id", seed, (2,), (2,), use_id=True)
        two_frames, single_bins = (0, 0, 1, 1, 2), {"grouped": False, "hidden": (640, 640)}
        yield point("causal by two frames, joint", seed, (), (), ordering=two_frames)
        yield point("causal by bins, joint", seed, (), (), ordering="causal", **single_bins)


def point(
    name: str, seed: int, trained: tuple[int, ...], scored: tuple[int, ...], **model: Any
) -> dict[str, Any]:
    """A point's overrides."""
    frames = {"train_frames": trained, "score_frames": scored}
    settings = {f"model.{key}": value for key, value in {**model, **frames}.items()}
    return {"name": name, "seed": seed, **settings}
