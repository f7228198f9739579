"""Keeps computed log-mels, on disk or in this process.

An entry is the log-mels of one set of clips under one set of settings: `<key>.npy`, which is read
back memory-mapped, and `<key>.json` beside it. The key is a hash of each file's path, size and
time of change (to the nanosecond), in order, of all settings, and of the code that computes.

Why not a hash of the files' contents: that reads all of them, on a cold disk as long as computing
anew takes; 20,000 of these take half a second. What it misses is a file overwritten by another of
the same size whose time was set back; what it costs is computing anew after a folder was moved.

To be rid of it, delete the folder, at any time. Entries unused for `MAX_AGE_DAYS` go by themselves.
"""

import hashlib
import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from audio.clips import Clip

MAX_AGE_DAYS = 30

_CODE = ("logmel.py", "pipeline.py", "reading.py", "speed.py", "wholeness.py")
_memory: dict[str, "Entry"] = {}


@dataclass(frozen=True)
class Entry:
    """What was made of a set of clips; clips are named by their position in it.

    Attributes:
        frames: (total_frames, num_mels) float32 dB, all good clips' frames end to end.
        offsets: (num_good + 1,) int64, where each good clip's frames begin and the last's end.
        good: (num_good,) the good clips.
        bad: the other clips, each with what is wrong with it.
        notes: what was done to how many of the clips.
    """

    frames: np.ndarray
    offsets: np.ndarray
    good: list[int]
    bad: list[tuple[int, str]]
    notes: dict[str, int]


def key_of(clips: Sequence[Clip], source_id: str, settings: dict[str, Any]) -> str | None:
    """Returns the key of a set of clips, or None where nothing tells that it has not changed.

    Args:
        clips: the set; those without a path are told apart by name, under `source_id`.
        source_id: name and version of the prepared data set that such clips are in.
        settings: all else that the numbers depend on.
    """
    if not source_id and any(clip.path is None for clip in clips):
        return None
    digest = hashlib.sha256(_code().encode())
    digest.update(json.dumps([source_id, settings], sort_keys=True).encode())
    for clip in clips:
        digest.update(repr(_identity(clip)).encode())
    return digest.hexdigest()[:32]


def recall(key: str, folder: Path | None) -> Entry | None:
    """Returns the entry kept under a key, if there is one and it is whole.

    Args:
        key: from `key_of`.
        folder: of the disk cache; None means the memory cache.
    """
    if folder is None:
        return _memory.get(key)
    text, array = _paths(folder, key)
    try:
        rest = json.loads(text.read_text())
        frames = np.load(array, mmap_mode="r") if rest["shape"][0] else np.load(array)
        offsets = np.array(rest["offsets"], np.int64)
        bad = [(int(clip), str(why)) for clip, why in rest["bad"]]
        entry = Entry(frames, offsets, list(rest["good"]), bad, dict(rest["notes"]))
        whole = list(frames.shape) == rest["shape"] and offsets[-1] == len(frames)
        whole = whole and frames.dtype == np.float32 and len(entry.good) + 1 == len(offsets)
        os.utime(text)  # last used now
    except (OSError, ValueError, EOFError, KeyError, IndexError, TypeError):
        return None
    return entry if whole else None


def keep(key: str, folder: Path | None, entry: Entry) -> None:
    """Keeps an entry under a key; a reader sees all of it or nothing.

    Raises:
        OSError: the disk is full, or the folder cannot be written.
    """
    if folder is None:
        entry.frames.flags.writeable = False  # whoever recalls it shares it
        _memory[key] = entry
        return
    folder.mkdir(parents=True, exist_ok=True)
    _forget_unused(folder)
    text, array = _paths(folder, key)
    rest = {
        "shape": entry.frames.shape,
        "offsets": entry.offsets.tolist(),
        "good": entry.good,
        "bad": entry.bad,
        "notes": entry.notes,
    }
    _write(array, lambda path: np.save(path, entry.frames))
    _write(text, lambda path: path.write_text(json.dumps(rest)))


def clear_memory() -> None:
    """Empties the memory cache."""
    _memory.clear()


def _paths(folder: Path, key: str) -> tuple[Path, Path]:
    return folder / f"{key}.json", folder / f"{key}.npy"


def _write(path: Path, write: Any) -> None:
    """Writes a file under another name, which it loses once it is whole."""
    partial = path.with_name(f"{path.stem}.{os.getpid()}.partial{path.suffix}")
    try:
        write(partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _forget_unused(folder: Path) -> None:
    oldest = time.time() - MAX_AGE_DAYS * 24 * 3600
    for text in folder.glob("*.json"):
        if text.stat().st_mtime < oldest:
            text.unlink(missing_ok=True)
            text.with_suffix(".npy").unlink(missing_ok=True)


def _identity(clip: Clip) -> tuple[Any, ...]:
    if clip.path is None:
        return clip.machine, clip.split, clip.name
    try:
        stat = clip.path.stat()
    except OSError:
        return str(clip.path.absolute()), None
    readable = os.access(clip.path, os.R_OK)
    return str(clip.path.absolute()), stat.st_size, stat.st_mtime_ns, readable


@lru_cache(maxsize=1)
def _code() -> str:
    """A hash of the source code that log-mels come from."""
    here = Path(__file__).parent
    return hashlib.sha256(b"".join((here / name).read_bytes() for name in _CODE)).hexdigest()
