"""Folders that appear all at once, when they are finished: what is there is whole."""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from os import cpu_count
from pathlib import Path
from typing import TypeVar

from audio.clips import DataError

STALE = 3600.0  # seconds after which a half-written folder is taken for abandoned

Item = TypeVar("Item")
Made = TypeVar("Made")
Progress = Callable[[int, int], None]


@contextmanager
def whole_folder(
    root: Path, is_whole: Callable[[], bool], what: str, mend: str = "set data.cache_dir"
) -> Iterator[Path]:
    """A folder beside `root` to write into, which then takes its name in one step.

    Two processes may write the same one at the same time: the first to finish wins.

    Args:
        root: its name; its parents are made.
        is_whole: asked where `root` has come to be there meanwhile: whether it is what was wanted.
        what: is written, for the message.
        mend: what to do where it cannot be, for the message.

    Raises:
        DataError: it cannot be written.
    """
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        _sweep(root)
        with tempfile.TemporaryDirectory(dir=root.parent, prefix=_partial(root)) as workshop:
            half = Path(workshop) / root.name
            half.mkdir()
            yield half
            _publish(half, root, is_whole)
    except OSError as error:
        why = error.strerror or error
        raise DataError(f"cannot write {what} to {root} ({why}); {mend}") from error


def in_threads(
    make: Callable[[Item], Made],
    items: Iterable[Item],
    progress: Progress | None = None,
    num_workers: int | None = None,
) -> list[Made]:
    """What is made of every item, in their order; NumPy's threads share the cores.

    Args:
        make: of an item.
        items: all of them.
        progress: called with the number done so far and the number in all.
        num_workers: threads; by default one for each core.
    """
    with ThreadPoolExecutor(num_workers or cpu_count() or 1) as pool:
        jobs = [pool.submit(make, item) for item in items]
        try:
            for done, job in enumerate(as_completed(jobs), start=1):
                job.result()
                if progress is not None:
                    progress(done, len(jobs))
        except BaseException:  # a full disk or an impatient user: do not make the rest first
            pool.shutdown(cancel_futures=True)
            raise
        return [job.result() for job in jobs]


def _publish(half: Path, root: Path, is_whole: Callable[[], bool]) -> None:
    """Moves the finished folder into place in one step; another builder may have been first."""
    try:
        half.rename(root)
    except OSError:
        if not is_whole():
            raise


def _partial(root: Path) -> str:
    return f".{root.name}.partial-"


def _sweep(root: Path) -> None:
    """Removes what builders that were killed have left; a living one has touched its own lately."""
    for left in root.parent.glob(f"{_partial(root)}*"):
        if time.time() - left.stat().st_mtime > STALE:
            shutil.rmtree(left, ignore_errors=True)
