"""Mixtures on disk: a FLAC file each, and `annotations.csv`, which says where their events are."""

import csv
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import soundfile

from audio.rare_events.mixing import Recipe, mix, recipes
from audio.rare_events.settings import MixtureSettings
from audio.rare_events.stock import folder_stock, synthetic_stock
from audio.whole_folder import Progress, in_threads, whole_folder

ANNOTATIONS = "annotations.csv"
VERSION = 1  # raise it when the same settings begin to sound different
COLUMNS = ("class", "split", "name", "onset", "offset", "ratio_db", "event", "background")


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
        progress: called with the number of mixtures written so far and the number in all.

    Returns:
        `root`, holding `<class>/<split>_00000.flac` and `annotations.csv`.

    Raises:
        DataError: a folder that cannot be written.
    """
    whole = (root / ANNOTATIONS).is_file
    with whole_folder(root, whole, "mixtures") as half:
        for target in {recipe.target for recipe in everything}:
            (half / target).mkdir()
        in_threads(partial(_write_mixture, half, settings), everything, progress)
        _annotate(half / ANNOTATIONS, everything, settings.sample_rate)
    return root


def _write_mixture(root: Path, settings: MixtureSettings, recipe: Recipe) -> None:
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
