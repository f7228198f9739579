"""From a folder with `annotations.csv` to clips, and to where their events are."""

import csv
from dataclasses import dataclass
from pathlib import Path

from audio.clips import TEST, TRAIN, Clip, DataError
from audio.rare_events.build import ANNOTATIONS
from audio.rare_events.settings import SPLITS


@dataclass(frozen=True)
class Event:
    """Where a clip's event is, in seconds.

    Attributes:
        onset, offset: its first and last moment.
    """

    onset: float
    offset: float


@dataclass(frozen=True)
class Annotated:
    """A clip, what it is for (`train`, `valid` or `test`), and its event, if it has one."""

    clip: Clip
    split: str
    event: Event | None


def list_mixtures(root: Path, classes: tuple[str, ...] = ()) -> list[Annotated]:
    """The clips of a folder: mixtures that were built, or annotated recordings of one's own.

    `annotations.csv` has `class`, `split`, `name`, `onset` and `offset` (empty where the event is
    not); the clip is `<class>/<name>`. A clip has one event or none. Validation clips are train
    clips to whoever does not ask.

    Raises:
        DataError: the table is not one, or names a clip twice or one that is not there.
    """
    path = root / ANNOTATIONS
    try:
        lines = list(csv.DictReader(path.read_text().splitlines()))
        asked = [line for line in lines if line["class"] in classes or not classes]
        every = [_annotated(root, line) for line in asked]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path} cannot be used: {error!r}") from None
    names = [(each.clip.machine, each.clip.name) for each in every]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"{path} has two lines of {'/'.join(twice)}: a clip has one event or none")
    for target, name in names:
        if not (root / target / name).is_file():
            raise DataError(f"{path} names {root / target / name}, which is not there")
    for name in sorted({each.clip.machine for each in every}):
        splits = {each.split for each in every if each.clip.machine == name}
        if lacking := [split for split in SPLITS if split not in splits]:
            raise DataError(f"{path} has no {', '.join(lacking)} clips of {name}")
    if not every:
        raise DataError(f"{path} has no clips of {', '.join(classes) or 'any class'}")
    return every


def _annotated(root: Path, line: dict[str, str]) -> Annotated:
    target, split, name = line["class"], line["split"], line["name"]
    if split not in SPLITS:
        raise ValueError(f"split {split!r} is none of {', '.join(SPLITS)}")
    event = Event(float(line["onset"]), float(line["offset"])) if line["onset"] else None
    if event and not 0 <= event.onset < event.offset:
        raise ValueError(f"onset {event.onset} and offset {event.offset} of {name}")
    clip = Clip(
        target,
        "00",
        TEST if split == "test" else TRAIN,
        int(event is not None),
        name,
        root / target / name,
    )
    return Annotated(clip, split, event)
