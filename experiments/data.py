"""The log-mels of every machine, loaded, checked, and shared out among the processes."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from audio.clips import TEST, TRAIN, Clip, DataError
from audio.logmel import LogMel
from audio.pipeline import LogMels, describe_bad, load, place
from audio.windows import Windows, find_windows
from experiments.errors import ConfigError
from experiments.processes import gather_text
from experiments.progress import Progress
from experiments.sources import Source, cache_dir, open_source


@dataclass(frozen=True)
class Split:
    """One machine's train or test clips, as this process holds them.

    Attributes:
        clips: all the clips of the split, over all processes.
        mine: this process's share of them, less the bad ones, as log-mels.
        positions: (len(mine.clips),) where its clips stand among all.
        ids: (len(mine.clips),) the id of each of its clips, as an index into the machine's ids.
    """

    clips: tuple[Clip, ...]
    mine: LogMels
    positions: np.ndarray
    ids: np.ndarray


@dataclass(frozen=True)
class Machine:
    """One machine type: what it is trained on and what it is tested on."""

    name: str
    ids: tuple[str, ...]
    train: Split
    test: Split


@dataclass(frozen=True)
class DataSet:
    """All machines, and what there is to say about their clips."""

    machines: tuple[Machine, ...]
    skipped: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    source: Source


def load_data(config: Any) -> DataSet:
    """Loads every machine, so that all that is wrong with a data set is said before any training.

    Raises:
        ConfigError, DataError: what a user can mend; all bad clips are named together.
    """
    if config.data.on_bad_clip not in ("error", "skip"):
        raise ConfigError(f"data.on_bad_clip={config.data.on_bad_clip!r}: use error or skip")
    source = open_source(config)
    clips = source.clips
    loader = _Loader(config, source)
    names = sorted({clip.machine for clip in clips})
    with loader.progress:
        machines = [
            _machine(name, [c for c in clips if c.machine == name], loader) for name in names
        ]
    skipped = _of_all_processes([(place(clip), why) for clip, why in loader.bad])
    if skipped and config.data.on_bad_clip == "error":
        raise DataError(describe_bad(skipped))
    for machine in machines:
        _check_ids(machine)
    notes = tuple(f"{what}: {count} clips" for what, count in loader.notes.items())
    return DataSet(tuple(machines), skipped, notes, source)


class _Loader:
    """Loads splits one after another, and remembers what was wrong with them."""

    def __init__(self, config: Any, source: Source) -> None:
        self.settings = LogMel(**config.logmel.to_dict())
        self.progress = Progress("log-mels", len(source.clips), "clip")
        self.bad: list[tuple[Clip, str]] = []
        self.notes: Counter[str] = Counter()
        self.done = 0
        self.options: dict[str, Any] = dict(
            signals=source.signals,
            source_id=source.identity,
            min_frames=config.window.num_frames,
            channel=config.data.channel,
            on_bad_clip="skip",
            cache=config.data.cache,
            cache_dir=cache_dir(config.data) / "logmels",
            shard_index=jax.process_index(),
            num_shards=jax.process_count(),
            progress=self.told,
        )

    def __call__(self, clips: Sequence[Clip]) -> LogMels:
        logmels, bad, notes = load(list(clips), self.settings, **self.options)
        self.bad += bad
        self.notes += notes
        self.done += len(clips)
        return logmels

    def told(self, done: int, total: int) -> None:
        """Moves the progress bar; with several processes each speaks of its own share."""
        self.progress.update(self.done + done * self.options["num_shards"])


def _machine(name: str, clips: list[Clip], loader: _Loader) -> Machine:
    ids = tuple(sorted({clip.id for clip in clips if clip.split == TRAIN}))

    def split(which: str) -> Split:
        chosen = tuple(clip for clip in clips if clip.split == which)
        mine = loader(chosen)
        where = {clip.name: position for position, clip in enumerate(chosen)}
        positions = np.array([where[clip.name] for clip in mine.clips], np.int64)
        index = {id_: i for i, id_ in enumerate(ids)}
        return Split(chosen, mine, positions, np.array([index.get(c.id, -1) for c in mine.clips]))

    return Machine(name, ids, split(TRAIN), split(TEST))


def windows_of(logmels: LogMels, config: Any) -> Windows:
    """The windows of a set of clips."""
    return find_windows(logmels.frames, logmels.offsets, **config.window.to_dict())


def _check_ids(machine: Machine) -> None:
    """Every id that is known or tested must have a good train clip somewhere."""
    good = {id_ for ids in _everywhere([c.id for c in machine.train.mine.clips]) for id_ in ids}
    bare = sorted({*machine.ids, *(clip.id for clip in machine.test.clips)} - good)
    if bare:
        raise DataError(
            f"{machine.name} has no usable train clips of id {', '.join(bare)}: add some, or leave "
            "its clips out"
        )


def _of_all_processes(bad: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((where, why) for said in _everywhere(bad) for where, why in said)


def _everywhere(said: Any) -> list[Any]:
    """What each process says, as JSON can carry it."""
    return [json.loads(text) for text in gather_text(json.dumps(said))]
