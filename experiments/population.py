"""Which models are trained together, as one program."""

from collections.abc import Sequence

import jax

from experiments.errors import ConfigError
from experiments.train import Member

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
    if choice == "never" or (choice == "auto" and jax.default_backend() == "cpu"):
        return [[member] for member in members]
    groups: dict[tuple, list[Member]] = {}
    for member in members:
        train = tuple(sorted(member.config.train.to_dict().items()))
        groups.setdefault((member.method.loss, train), []).append(member)
    return list(groups.values())
