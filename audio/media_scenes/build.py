"""Streams on disk: each a FLAC file, and a table of who is heard when; whole or not at all."""

import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from os import cpu_count
from pathlib import Path

import numpy as np
import soundfile

from audio.clips import TEST, TRAIN, DataError
from audio.media_scenes.passages import Passage, draw_passages, write_annotations
from audio.media_scenes.recordings import Recordings
from audio.media_scenes.settings import SceneSettings, check
from audio.media_scenes.stocks import Stock, Voices

ANNOTATIONS = "annotations.csv"
VERSION = 1  # raise it when the same settings begin to sound different
STALE = 3600.0  # seconds after which half-written streams are taken for abandoned
SPLITS = (TRAIN, TEST)
STREAMS = 0  # tells their random numbers from those of voices

Progress = Callable[[int, int], None]


def stock_of(settings: SceneSettings, root: Path | None) -> Stock:
    """Recordings under a folder, or synthetic voices where there is none.

    Raises:
        DataError: settings that make no streams, or a folder without recordings of both kinds.
    """
    check(settings)
    return Recordings.find(root, settings) if root else Voices(settings)


def build_scenes(
    parent: Path,
    settings: SceneSettings,
    stock: Stock,
    progress: Progress | None = None,
    num_workers: int | None = None,
) -> Path:
    """Writes streams, unless they are there already.

    They appear all at once when they are finished, so what is there is whole, and two processes
    may write the same ones at the same time.

    Args:
        parent: the folder in which theirs is made, named by a digest of what they are.
        settings: how many and how long.
        stock: what they are made of.
        progress: called with the number of streams written so far and the number in all.
        num_workers: threads that write; by default one for each core.

    Returns:
        their folder, holding `{train,test}/*.flac` and `annotations.csv`.

    Raises:
        DataError: a recording cannot be read, or the folder cannot be written.
    """
    facts = json.dumps([VERSION, asdict(settings), stock.identity], sort_keys=True)
    root = parent / f"media_scenes-{hashlib.sha256(facts.encode()).hexdigest()[:8]}"
    if root.is_dir():
        return root
    try:
        parent.mkdir(parents=True, exist_ok=True)
        _sweep(root)
        with tempfile.TemporaryDirectory(dir=parent, prefix=_partial(root)) as workshop:
            half = Path(workshop) / root.name
            _write(half, settings, stock, progress, num_workers or cpu_count() or 1)
            _publish(half, root)
    except OSError as error:
        reason = error.strerror or error
        raise DataError(f"cannot write streams to {root} ({reason}): set data.cache_dir") from error
    return root


def stream(
    settings: SceneSettings, stock: Stock, split: str, index: int
) -> tuple[list[Passage], np.ndarray]:
    """One stream's passages and its signal (samples,), a function of seed, split and index."""
    rng = np.random.default_rng([settings.seed, STREAMS, SPLITS.index(split), index])
    passages = draw_passages(rng, settings, stock.sources[split])
    num_samples = round(settings.stream_seconds * settings.sample_rate)
    return passages, stock.render(rng, passages, num_samples)


def _write(
    root: Path, settings: SceneSettings, stock: Stock, progress: Progress | None, num: int
) -> None:
    counts = {TRAIN: settings.num_train, TEST: settings.num_test}
    for split in SPLITS:
        (root / split).mkdir(parents=True)
    everything = [(split, index) for split in SPLITS for index in range(counts[split])]
    passages: dict[tuple[str, str], list[Passage]] = {}

    def write_one(split: str, index: int) -> tuple[str, str, list[Passage]]:
        name = f"{split}_{index:05d}.flac"
        own, signal = stream(settings, stock, split, index)
        soundfile.write(root / split / name, signal, settings.sample_rate, subtype="PCM_16")
        return split, name, own

    with ThreadPoolExecutor(num) as pool:
        jobs = [pool.submit(write_one, *each) for each in everything]
        try:
            for done, job in enumerate(as_completed(jobs), start=1):
                split, name, own = job.result()
                passages[split, name] = own
                if progress is not None:
                    progress(done, len(jobs))
        except BaseException:  # a bad recording, or an impatient user: do not write the rest first
            pool.shutdown(cancel_futures=True)
            raise
    order = sorted(passages, key=lambda key: (SPLITS.index(key[0]), key[1]))
    write_annotations(root / ANNOTATIONS, {key: passages[key] for key in order})


def _publish(half: Path, root: Path) -> None:
    """Moves the finished streams into place in one step; another builder may have been first."""
    try:
        half.rename(root)
    except OSError:
        if not root.is_dir():
            raise


def _partial(root: Path) -> str:
    return f".{root.name}.partial-"


def _sweep(root: Path) -> None:
    """Removes what builders that were killed have left; a living one has touched its own lately."""
    for left in root.parent.glob(f"{_partial(root)}*"):
        if time.time() - left.stat().st_mtime > STALE:
            shutil.rmtree(left, ignore_errors=True)
