"""Labelled sounds as images of one size, shared out into folds."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from audio.clips import Clip, DataError
from audio.logmel import LogMel
from audio.pipeline import load, place
from audio.sound_classes import of_length
from experiments.errors import ConfigError
from experiments.progress import Progress
from experiments.sources import cache_dir, open_source


@dataclass(frozen=True)
class Sounds:
    """All clips; every process has all of them.

    Attributes:
        clips: what they are.
        classes: names of the classes, sorted.
        labels: (clips,) the class of each, an index.
        images: (clips, frames, mels) float32 dB.
        notes: what was done to them.
        skipped: (clip, reason) of those that could not be read.
    """

    clips: tuple[Clip, ...]
    classes: tuple[str, ...]
    labels: np.ndarray
    images: np.ndarray
    notes: tuple[str, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Fold:
    """Which clips are learned from, with their labels or without, and which are tested; indices."""

    number: int
    labelled: np.ndarray
    unlabelled: np.ndarray
    test: np.ndarray


def num_frames(config: Any) -> int:
    """Frames of `data.clip_seconds`, a multiple of `model.pool`."""
    seconds, pool = config.data.clip_seconds, max(config.model.pool, 1)
    if not seconds > 0:
        raise ConfigError(f"data.clip_seconds={seconds} must be above 0")
    frames = int(seconds * config.logmel.sample_rate / config.logmel.hop_length) // pool * pool
    return max(frames, pool)


def load_sounds(config: Any) -> Sounds:
    """Loads the clips a config names.

    Raises:
        ConfigError, DataError: what a user can mend; all bad clips are named together.
    """
    data = config.data
    if data.source != "sound_classes":
        raise ConfigError(f"data.source={data.source!r}: sounds of classes are sound_classes")
    source = open_source(config)
    with Progress("log-mels", len(source.clips), "clip") as progress:
        logmels, bad, notes = load(
            source.clips,
            LogMel(**config.logmel.to_dict()),
            min_frames=1,
            channel=data.channel,
            on_bad_clip=data.on_bad_clip,
            cache=data.cache,
            cache_dir=cache_dir(data) / "logmels",
            progress=lambda done, _: progress.update(done),
        )
    wanted, clips = num_frames(config), logmels.clips
    images = np.empty((len(clips), wanted, config.logmel.num_mels), np.float32)
    for i in range(len(clips)):
        images[i] = of_length(logmels.clip(i), wanted)
    classes = tuple(sorted({clip.id for clip in source.clips}))
    # A clip of exactly so many seconds has a frame more than fit, and up to a pool's.
    long, short = logmels.num_frames > wanted + config.model.pool, logmels.num_frames < wanted
    seconds = f"{data.clip_seconds:g} s"
    notes |= {f"cut to {seconds}": int(long.sum()), f"repeated up to {seconds}": int(short.sum())}
    return Sounds(
        clips=clips,
        classes=classes,
        labels=np.array([classes.index(clip.id) for clip in clips], np.int64),
        images=images,
        notes=tuple(f"{what}: {count} clips" for what, count in notes.items() if count),
        skipped=tuple((place(clip), why) for clip, why in bad),
    )


def draw_folds(sounds: Sounds, config: Any) -> list[Fold]:
    """Stratified folds: one is tested; of the rest some clips of each class keep their labels.

    Clips in whose names `data.groups` finds the same text, such as parts of one recording, are all
    in one fold.

    Raises:
        ConfigError, DataError: no such folds, or a class with too few clips for them.
    """
    data, labels = config.data, sounds.labels
    if data.num_folds < 2 or data.num_labelled < 1:
        raise ConfigError("data.num_folds must be 2 or more and data.num_labelled 1 or more")
    wanted = tuple(data.folds) or tuple(range(data.num_folds))
    if not all(isinstance(each, int) and 0 <= each < data.num_folds for each in wanted):
        raise ConfigError(f"data.folds={data.folds} must be numbers from 0 to {data.num_folds - 1}")
    counts = np.bincount(labels, minlength=len(sounds.classes))
    _check_counts(sounds.classes, counts, data.num_folds, data)
    groups = _groups([clip.name for clip in sounds.clips], data.groups) if data.groups else None
    kind = StratifiedGroupKFold if data.groups else StratifiedKFold
    splits = kind(data.num_folds, shuffle=True, random_state=config.seed)
    every = splits.split(np.zeros(len(labels)), labels, groups)
    folds = [
        _fold(number, train, test, sounds, config) for number, (train, test) in enumerate(every)
    ]
    return [folds[number] for number in dict.fromkeys(wanted)]


def _fold(number: int, train: np.ndarray, test: np.ndarray, sounds: Sounds, config: Any) -> Fold:
    """A fold, with its labelled clips drawn."""
    rng, labels, data = np.random.default_rng([config.seed, number]), sounds.labels, config.data
    counts = np.bincount(labels[train], minlength=len(sounds.classes))
    _check_counts(sounds.classes, counts, data.num_labelled, data)
    drawn = [
        rng.choice(train[labels[train] == each], data.num_labelled, replace=False)
        for each in range(len(sounds.classes))
    ]
    labelled = np.sort(np.concatenate(drawn))
    unlabelled = np.setdiff1d(train, labelled)
    if not len(unlabelled) or not len(test):
        raise DataError(
            f"data.num_folds={data.num_folds} and data.num_labelled={data.num_labelled} leave a "
            "fold without unlabelled or test clips: lower one of them"
        )
    return Fold(number, labelled, unlabelled, np.sort(test))


def _check_counts(classes: Sequence[str], counts: np.ndarray, fewest: int, data: Any) -> None:
    scarce = [
        f"{name} ({count})" for name, count in zip(classes, counts, strict=True) if count < fewest
    ]
    if scarce:
        raise DataError(
            f"too few clips of {', '.join(scarce)} for data.num_folds={data.num_folds} and "
            f"data.num_labelled={data.num_labelled}: add clips, or lower these"
        )


def _groups(names: Sequence[str], pattern: str) -> list[str]:
    """What the pattern finds in each name: its first group, or all of it; the name if nothing."""
    try:
        found = [re.search(pattern, name) for name in names]
    except re.error as error:
        raise ConfigError(f"data.groups={pattern!r} is no regular expression: {error}") from error
    return [
        match[min(1, match.re.groups)] if match else name
        for match, name in zip(found, names, strict=True)
    ]
