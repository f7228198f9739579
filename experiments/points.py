"""The points of a sweep: one config, changed in the ways its file's `sweep()` says."""

import importlib.util
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ml_collections import ConfigDict

from experiments.errors import ConfigError
from experiments.methods import build
from experiments.overrides import describe, override


class Point(NamedTuple):
    """One experiment of a sweep.

    Attributes:
        name: what it is called in table and figure; points of one name differ only in their seed.
        config: the whole experiment, a `ConfigDict`.
        folder: of its files, within the sweep's.
    """

    name: str
    config: Any
    folder: Path

    def __str__(self) -> str:
        return f"{self.name}, seed {self.config.seed}"


def load_sweep(path: Path) -> list[Mapping[str, Any]]:
    """What a config file's `sweep()` yields.

    Raises:
        ConfigError: it has none.
    """
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not hasattr(module, "sweep"):
        raise ConfigError(
            f"{path} defines no sweep(): give one that does, such as configs/ablate_order.py"
        )
    return list(module.sweep())


def points(config: ConfigDict, overrides: Iterable[Mapping[str, Any]]) -> list[Point]:
    """A config at every point of its sweep.

    Args:
        config: what the points have in common.
        overrides: for each point values by dotted key, such as `{"model.num_components": 5}`, and
            if it likes a `name`.

    Raises:
        ConfigError: an override that the config does not take, a point that cannot be built, or
            points that cannot be told apart.
    """
    every = [_point(config, dict(each)) for each in overrides]
    folders = [point.folder for point in every]
    for point in every:
        if folders.count(point.folder) > 1:
            raise ConfigError(f"the sweep has two points {str(point)!r}: give them other names")
        build(point.config, 2)
    if not every:
        raise ConfigError("the sweep has no points")
    return every


def _point(config: ConfigDict, overrides: dict[str, Any]) -> Point:
    name = overrides.pop("name", None) or _name(overrides)
    try:
        own = override(config, overrides)
    except ConfigError as error:
        raise ConfigError(f"{name}: {error}") from error
    return Point(name, own, Path("points") / _slug(f"{name} seed {own.seed}"))


def _name(overrides: Mapping[str, Any]) -> str:
    """What the overrides are; the seed is no part of a name."""
    named = {key: value for key, value in overrides.items() if key != "seed"}
    return describe(named) or "as configured"


def _slug(text: str) -> str:
    return re.sub(r"[^\w.]+", "_", text).strip("_").lower()
