"""A person's recordings: the sound files under a folder, and whether they are still the same."""

import os
from collections.abc import Iterable
from pathlib import Path

SUFFIXES = (".wav", ".flac", ".ogg")


def files_under(root: Path) -> list[Path]:
    """All files below a folder, however deep, sorted; also those in folders that are links."""
    walk = os.walk(root, followlinks=True)
    return sorted(Path(folder) / name for folder, _, names in walk for name in names)


def recordings_under(root: Path) -> list[Path]:
    """The sound files among them; those whose name begins with a dot are passed over."""
    return [path for path in files_under(root) if is_recording(path)]


def is_recording(path: Path) -> bool:
    """Whether a file's name says that it is sound."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def fingerprint(paths: Iterable[Path], root: Path) -> list[tuple[str, int, int]]:
    """Which files these are: each one's name below `root`, size, and time of its last change."""
    stats = ((path.relative_to(root).as_posix(), path.stat()) for path in paths)
    return [(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats]
