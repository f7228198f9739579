"""Streams on disk: each a FLAC file, and a table of who is heard when; whole or not at all."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import soundfile

from audio.clips import TEST, TRAIN
from audio.media_scenes.passages import Passage, draw_passages, write_annotations
from audio.media_scenes.recordings import Recordings
from audio.media_scenes.settings import SceneSettings, check
from audio.media_scenes.stocks import Stock, Voices
from audio.whole_folder import Progress, in_threads, whole_folder

ANNOTATIONS = "annotations.csv"
VERSION = 1  # raise it when the same settings begin to sound different
SPLITS = (TRAIN, TEST)
STREAMS = 0  # tells their random numbers from those of voices


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
    with whole_folder(root, root.is_dir, "streams") as half:
        _write(half, settings, stock, progress, num_workers)
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
    root: Path,
    settings: SceneSettings,
    stock: Stock,
    progress: Progress | None,
    num_workers: int | None,
) -> None:
    counts = {TRAIN: settings.num_train, TEST: settings.num_test}
    for split in SPLITS:
        (root / split).mkdir()
    everything = [(split, index) for split in SPLITS for index in range(counts[split])]

    def write_one(which: tuple[str, int]) -> tuple[tuple[str, str], list[Passage]]:
        split, index = which
        name = f"{split}_{index:05d}.flac"
        passages, signal = stream(settings, stock, split, index)
        soundfile.write(root / split / name, signal, settings.sample_rate, subtype="PCM_16")
        return (split, name), passages

    written = in_threads(write_one, everything, progress, num_workers)
    write_annotations(root / ANNOTATIONS, dict(written))
