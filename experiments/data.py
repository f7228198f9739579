"""The log-mels of every machine, loaded, checked, and shared out among the processes."""

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import jax
import numpy as np

from audio.clips import TEST, TRAIN, Clip, DataError
from audio.logmel import LogMel
from audio.logmels import LogMels, join, subset
from audio.pipeline import describe_bad, load, place
from audio.windows import Windows, find_windows
from experiments.embedders import Clock, embedder_of
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

    def part(self, chosen: np.ndarray) -> "Split":
        """The split with only those of this process's clips; they keep their places among all."""
        (which,) = np.nonzero(chosen)
        return Split(self.clips, subset(self.mine, which), self.positions[which], self.ids[which])


@dataclass(frozen=True)
class Machine:
    """One machine type: what it is trained on and what it is tested on.

    Attributes:
        name: such as `fan`.
        ids: of its units, in order.
        train: the train clips.
        test: the test clips.
        copies: this process's train clips once more at each of `model.speeds`, to train on only.
        embedding: what it took to embed its clips here, nothing where they were kept.
    """

    name: str
    ids: tuple[str, ...]
    train: Split
    test: Split
    copies: tuple[Split, ...] = ()
    embedding: Clock = field(default_factory=Clock)


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
    speeds = speeds_of(config)
    source = open_source(config)
    clips = source.clips
    loader = _Loader(config, source, len(speeds))
    names = sorted({clip.machine for clip in clips})
    with loader.progress:
        machines = [
            _machine(name, [c for c in clips if c.machine == name], speeds, loader)
            for name in names
        ]
    skipped = _of_all_processes([(place(clip), why) for clip, why in loader.bad])
    if skipped and config.data.on_bad_clip == "error":
        raise DataError(describe_bad(skipped))
    for machine in machines:
        _check_ids(machine)
    notes = tuple(f"{what}: {count} clips" for what, count in loader.notes.items())
    return DataSet(tuple(machines), skipped, notes, source)


def speeds_of(config: Any) -> tuple[float, ...]:
    """The speeds that a config's model learns to tell apart from the clips' own; most have none.

    Raises:
        ConfigError: speeds that make no new classes.
    """
    speeds = config.model.get("speeds", ())
    numbers = all(isinstance(speed, int | float) for speed in speeds)
    if not numbers or not all(0 < speed < math.inf and speed != 1 for speed in speeds):
        raise ConfigError(f"model.speeds={speeds!r} must be numbers above 0 and other than 1")
    if len(set(speeds)) < len(speeds):
        raise ConfigError(f"model.speeds={speeds!r} must differ from one another")
    return tuple(speeds)


class _Loader:
    """Loads splits one after another, and remembers what was wrong with them."""

    def __init__(self, config: Any, source: Source, num_speeds: int) -> None:
        self.clock = Clock()
        embedder = embedder_of(config, source.clips, self.clock)
        self.settings = LogMel(**config.logmel.to_dict())
        num_train = sum(clip.split == TRAIN for clip in source.clips)
        what = "embeddings" if embedder else "log-mels"
        self.progress = Progress(what, len(source.clips) + num_speeds * num_train, "clip")
        self.bad: list[tuple[Clip, str]] = []
        self.notes: Counter[str] = Counter()
        self.done = 0
        self.options: dict[str, Any] = dict(
            signals=source.signals,
            source_id=source.identity,
            embedder=embedder,
            min_frames=max(config.window.num_frames, 1),
            channel=config.data.channel,
            on_bad_clip="skip",
            cache=config.data.cache,
            cache_dir=cache_dir(config.data) / what.replace("-", ""),
            shard_index=jax.process_index(),
            num_shards=jax.process_count(),
            progress=self.told,
        )

    def __call__(self, clips: Sequence[Clip]) -> LogMels:
        """This process's share of some clips."""
        return self._load(clips, len(clips), self.options)

    def at_speed(self, split: Split, speed: float) -> LogMels:
        """This process's share of a split that has been loaded, at another speed."""
        options = {**self.options, "speed": speed, "shard_index": 0, "num_shards": 1}
        return self._load(split.mine.clips, len(split.clips), options)

    def _load(self, clips: Sequence[Clip], total: int, options: dict[str, Any]) -> LogMels:
        logmels, bad, notes = load(list(clips), self.settings, **options)
        self.bad += bad
        self.notes += notes
        self.done += total
        return logmels

    def told(self, done: int, total: int) -> None:
        """Moves the progress bar; with several processes each speaks of its own share."""
        self.progress.update(self.done + done * self.options["num_shards"])


def _machine(name: str, clips: list[Clip], speeds: tuple[float, ...], loader: _Loader) -> Machine:
    ids = tuple(sorted({clip.id for clip in clips if clip.split == TRAIN}))

    def split(which: str) -> Split:
        chosen = tuple(clip for clip in clips if clip.split == which)
        return split_of(chosen, loader(chosen), ids)

    before = replace(loader.clock)
    train, test = split(TRAIN), split(TEST)
    copies = (split_of(train.clips, loader.at_speed(train, speed), ids) for speed in speeds)
    return Machine(name, ids, train, test, tuple(copies), loader.clock.since(before))


def split_of(clips: tuple[Clip, ...], mine: LogMels, ids: tuple[str, ...]) -> Split:
    """A split from all its clips, this process's share of them, and the machine's ids."""
    where = {clip.name: position for position, clip in enumerate(clips)}
    positions = np.array([where[clip.name] for clip in mine.clips], np.int64)
    index = {id_: i for i, id_ in enumerate(ids)}
    return Split(clips, mine, positions, np.array([index.get(c.id, -1) for c in mine.clips]))


def training_windows(machine: Machine, config: Any) -> tuple[Windows, np.ndarray]:
    """What a machine's model learns from: its train clips, and their copies at other speeds.

    Returns:
        their windows; and the class of each clip, (num_clips,): `kind * num_ids + id`, of kinds 0
        for the clips as they are and 1, 2, … for each speed.
    """
    kinds = (machine.train, *machine.copies)
    classes = [kind * len(machine.ids) + split.ids for kind, split in enumerate(kinds)]
    return windows_of(join([split.mine for split in kinds]), config), np.concatenate(classes)


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
