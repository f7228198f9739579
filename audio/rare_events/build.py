"""Mixtures on disk: a FLAC file each, and `annotations.csv`, which says where their events are."""

import csv
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from os import cpu_count
from pathlib import Path

import soundfile

from audio.clips import DataError
from audio.rare_events.mixing import Recipe, mix, recipes
from audio.rare_events.settings import MixtureSettings
from audio.rare_events.stock import folder_stock, synthetic_stock

ANNOTATIONS = "annotations.csv"
COLUMNS = ("class", "split", "name", "onset", "offset", "ratio_db", "event", "background")
STALE = 3600.0  # seconds after which a half-written set is taken for abandoned

Progress = Callable[[int], None]


def plan_mixtures(settings: MixtureSettings, recordings: Path | None = None) -> list[Recipe]:
    """What a set is to be mixed from.

    Args:
        settings: what is asked for.
        recordings: holds `events/<class>/*` and `backgrounds/*`; None: sounds are made up.

    Raises:
        DataError: sources are missing, or cannot be used.
    """
    stock = folder_stock(recordings, settings) if recordings else synthetic_stock(settings)
    return recipes(stock, settings)


def build_mixtures(
    root: Path,
    everything: Sequence[Recipe],
    settings: MixtureSettings,
    progress: Progress | None = None,
) -> Path:
    """Mixes a set. It appears under `root` all at once when it is finished, so it is whole.

    Args:
        root: the folder to write.
        everything: the mixtures, as planned.
        settings: what they were planned by.
        progress: called with the number of mixtures written so far.

    Returns:
        `root`, holding `<class>/<split>_00000.flac` and `annotations.csv`.

    Raises:
        DataError: a folder that cannot be written.
    """
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        _sweep(root)
        with tempfile.TemporaryDirectory(dir=root.parent, prefix=_partial(root)) as workshop:
            half = Path(workshop) / root.name
            _write(half, everything, settings, progress)
            _publish(half, root)
    except OSError as error:
        why = error.strerror or error
        raise DataError(f"cannot write mixtures to {root} ({why}); set data.cache_dir") from error
    return root


def _write(
    root: Path, everything: Sequence[Recipe], settings: MixtureSettings, progress: Progress | None
) -> None:
    for target in {recipe.target for recipe in everything}:
        (root / target).mkdir(parents=True)
    with ThreadPoolExecutor(cpu_count() or 1) as pool:
        jobs = [pool.submit(_write_mixture, root, recipe, settings) for recipe in everything]
        try:
            for done, job in enumerate(as_completed(jobs), start=1):
                job.result()
                if progress is not None:
                    progress(done)
        except BaseException:  # a full disk or an impatient user: do not write the rest first
            pool.shutdown(cancel_futures=True)
            raise
    _annotate(root / ANNOTATIONS, everything, settings.sample_rate)


def _write_mixture(root: Path, recipe: Recipe, settings: MixtureSettings) -> None:
    path = root / recipe.target / recipe.name
    soundfile.write(path, mix(recipe, settings), settings.sample_rate, subtype="PCM_16")


def _annotate(path: Path, everything: Sequence[Recipe], rate: int) -> None:
    """A line for each mixture; where no event is, its columns are empty."""
    with path.open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for recipe in everything:
            event = ["", "", "", ""]
            if recipe.event is not None:
                span = f"{recipe.onset / rate:.4f}", f"{recipe.offset / rate:.4f}"
                event = [*span, f"{recipe.ratio_db:g}", recipe.event.name]
            what = recipe.target, recipe.split, recipe.name
            table.writerow([*what, *event, recipe.background.name])


def _publish(half: Path, root: Path) -> None:
    """Moves the finished set into place in one step; another builder may have been first."""
    try:
        half.rename(root)
    except OSError:
        if not (root / ANNOTATIONS).is_file():
            raise


def _partial(root: Path) -> str:
    return f".{root.name}.partial-"


def _sweep(root: Path) -> None:
    """Removes what builders that were killed have left; a living one has touched its own lately."""
    for left in root.parent.glob(f"{_partial(root)}*"):
        if time.time() - left.stat().st_mtime > STALE:
            shutil.rmtree(left, ignore_errors=True)
