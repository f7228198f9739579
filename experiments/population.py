"""Which models are trained together, as one program."""

from collections.abc import Hashable, Sequence
from typing import Any

import jax

from experiments.errors import ConfigError
from experiments.method import Method
from experiments.track import Member

CHOICES = ("auto", "always", "never")


def check_population(choice: str) -> None:
    """Checks `train.population`.

    Raises:
        ConfigError: it is not known.
    """
    if choice not in CHOICES:
        raise ConfigError(f"train.population={choice!r} is not known: use {', '.join(CHOICES)}")


def populations(members: Sequence[Member], choice: str) -> list[list[Member]]:
    """Members grouped into those that train as one program, in the order they came.

    They must share their loss and their `train` settings. On a CPU, whose cores one model keeps
    busy, a population is slower (`benchmarks/population.py`), and `auto` makes none.
    """
    if not together(choice):
        return [[member] for member in members]
    groups: dict[Hashable, list[Member]] = {}
    for member in members:
        groups.setdefault(shape_of(member.method, member.config), []).append(member)
    return list(groups.values())


def together(choice: str) -> bool:
    """Whether `train.population` asks for populations on these devices."""
    return choice == "always" or (choice == "auto" and jax.default_backend() != "cpu")


def shape_of(method: Method, config: Any) -> Hashable:
    """What models that are trained as one program have in common."""
    return method.loss, tuple(sorted(config.train.to_dict().items()))
