"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def write_bytes(path: Path, data: bytes) -> Path:
    """Writes a file so that a reader, or a killed run, never leaves half of it.

    The bytes go to a neighbour first (same directory, so that the rename stays on one file
    system), which then takes the file's name in one step.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(data)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def write_text(path: Path, text: str) -> Path:
    r"""As `write_bytes`, for UTF-8 text; line ends stay `\n` on every system.

    A name that is not UTF-8 on disk (`os.fsdecode` gives it surrogates) is written with `\udc..`
    escapes: a table with one odd name is worth more than no table.
    """
    return write_bytes(path, text.encode("utf-8", errors="backslashreplace"))
