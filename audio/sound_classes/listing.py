"""Folders of labelled sounds: `<root>/<class>/*.{wav,flac,ogg}`, or ready log-mels as `.npy`."""

from pathlib import Path

from audio.clips import TRAIN, Clip, DataError
from audio.folder import SUFFIXES

MACHINE = "sounds"  # what stands in the place of a machine
_LAYOUT = "lay sounds out as CLASS/*.wav (or .flac, .ogg, .npy)"


def list_sounds(root: Path | str) -> list[Clip]:
    """Finds the sounds under a folder, sorted by class and name.

    Other files, folders without sounds, and those whose name begins with a dot are passed over.
    Sound may lie deeper in a class's folder too.

    Args:
        root: the folder that holds one folder a class.

    Returns:
        the clips, whose `id` is their class and whose `name` is `<class>/<file>`.

    Raises:
        DataError: no such folder, or fewer than two classes in it.
    """
    root = Path(root)
    if not root.is_dir():
        raise DataError(f"{root} is not a folder: set data.root to the folder with your classes")
    folders = sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))
    clips = [clip for folder in folders for clip in _clips_of(root, folder)]
    classes = {clip.id for clip in clips}
    if len(classes) < 2:
        there = f"sounds of one class only, {classes.pop()}" if classes else "no classes of sounds"
        raise DataError(f"{root} has {there}: {_LAYOUT}, two classes or more")
    return clips


def _clips_of(root: Path, folder: Path) -> list[Clip]:
    """One class's clips."""
    files = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES and path.is_file() and not path.name.startswith(".")
    )
    return [
        Clip(MACHINE, folder.name, TRAIN, None, path.relative_to(root).as_posix(), path)
        for path in files
    ]
