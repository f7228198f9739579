"""How long work says how far it is, without this room drawing bars itself."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Bar(Protocol):
    """Counts the steps of one task."""

    def update(self, done: int) -> None:
        """Says how many steps are done."""
        ...


# From task, number of steps and unit; `experiments.progress.Progress` is one.
Progress = Callable[[str, int, str], AbstractContextManager[Bar]]


class _Nothing:
    def update(self, done: int) -> None:
        del done


@contextmanager
def silent(task: str, total: int, unit: str) -> Iterator[Bar]:
    """Opens a bar that shows nothing."""
    del task, total, unit
    yield _Nothing()
