"""From a config's `data` section to the log-mels of every machine."""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

from audio import dcase2020, folder, hall
from audio.clips import TEST, TRAIN, Clip, DataError
from audio.logmel import LogMel
from audio.pipeline import LogMels, describe_bad, load, place
from audio.windows import Windows, find_windows
from experiments.errors import ConfigError
from experiments.processes import gather_text, is_main, wait
from experiments.progress import Progress

SOURCES = ("synthetic", "folder", "dcase2020")


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
    signals: Callable[..., Any] | None


def find_clips(config: Any) -> tuple[list[Clip], Callable[..., Any] | None]:
    """The clips a config names, and how to read them where they are not plain files.

    Builds the machine hall, or downloads and prepares DCASE 2020, where that is asked for and has
    not been done before.

    Raises:
        ConfigError, DataError: what a user can mend.
    """
    data = config.data
    match data.source:
        case "synthetic":
            return folder.list_clips(_machine_hall(config), asked_machines(data)), None
        case "folder":
            if not data.root:
                raise ConfigError(
                    "data.source=folder needs the clips' directory: --config.data.root=DIR"
                )
            root = Path(data.root).expanduser()
            return folder.list_clips(root, asked_machines(data), data.num_held_out), None
        case "dcase2020":
            prepared = dcase2020.prepare(
                asked_machines(data),
                tuple(data.parts),
                Path(data.root).expanduser() if data.root else None,
                cache_dir(data) / "tfds",
                Path(data.labels).expanduser() if data.labels else None,
                Progress,
            )
            return prepared.clips, prepared.signals
    raise ConfigError(f"data.source={data.source!r} is not known: use {', '.join(SOURCES)}")


def asked_machines(data: Any) -> tuple[str, ...]:
    """The machines a config names, from `"fan,pump"` or `("fan", "pump")`; none means all."""
    names = data.machines or ()
    return tuple(names.split(",")) if isinstance(names, str) else tuple(names)


def cache_dir(data: Any) -> Path:
    """Where prepared data is kept between runs."""
    if data.cache_dir:
        return Path(data.cache_dir).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "gmade"


def _machine_hall(config: Any) -> Path:
    settings = hall.HallSettings(**config.hall.to_dict())
    if config.data.root:
        root = Path(config.data.root).expanduser()
    else:
        digest = hashlib.sha256(json.dumps(config.hall.to_dict(), sort_keys=True).encode())
        root = cache_dir(config.data) / f"machine_hall-{digest.hexdigest()[:8]}"
    if is_main():
        total = (
            len(settings.machines)
            * settings.num_ids
            * (settings.num_train + settings.num_normal + settings.num_anomaly)
        )
        with Progress("machine hall", total, "clip") as progress:
            hall.build_hall(root, settings, lambda done, _: progress.update(done))
    wait("machine hall")
    return root


def load_data(config: Any) -> DataSet:
    """Loads every machine, so that all that is wrong with a data set is said before any training.

    Raises:
        ConfigError, DataError: what a user can mend; all bad clips are named together.
    """
    if config.data.on_bad_clip not in ("error", "skip"):
        raise ConfigError(f"data.on_bad_clip={config.data.on_bad_clip!r}: use error or skip")
    clips, signals = find_clips(config)
    loader = _Loader(config, signals, len(clips))
    names = sorted({clip.machine for clip in clips})
    with loader.progress:
        machines = [
            _machine(name, [c for c in clips if c.machine == name], loader) for name in names
        ]
    skipped = _of_all_processes([(place(clip), why) for clip, why in loader.bad])
    if skipped and config.data.on_bad_clip == "error":
        raise DataError(describe_bad(skipped))
    notes = tuple(f"{what}: {count} clips" for what, count in loader.notes.items())
    return DataSet(tuple(machines), skipped, notes, signals)


class _Loader:
    """Loads splits one after another, and remembers what was wrong with them."""

    def __init__(self, config: Any, signals: Callable[..., Any] | None, num_clips: int) -> None:
        self.settings = LogMel(**config.logmel.to_dict())
        self.progress = Progress("log-mels", num_clips, "clip")
        self.bad: list[tuple[Clip, str]] = []
        self.notes: Counter[str] = Counter()
        self.done = 0
        self.options = dict(
            signals=signals,
            min_frames=config.window.num_frames,
            channel=config.data.channel,
            on_bad_clip="skip",
            cache=config.data.cache,
            cache_dir=cache_dir(config.data) / "logmels",
            shard_index=jax.process_index(),
            num_shards=jax.process_count(),
        )

    def __call__(self, clips: Sequence[Clip]) -> LogMels:
        logmels, bad, notes = load(list(clips), self.settings, **self.options)
        self.bad += bad
        self.notes += notes
        self.done += len(clips)
        self.progress.update(self.done)
        return logmels


def _machine(name: str, clips: list[Clip], loader: _Loader) -> Machine:
    ids = tuple(sorted({clip.id for clip in clips if clip.split == TRAIN}))

    def split(which: str) -> Split:
        chosen = tuple(clip for clip in clips if clip.split == which)
        mine = loader(chosen)
        where = {clip.name: position for position, clip in enumerate(chosen)}
        positions = np.array([where[clip.name] for clip in mine.clips], np.int64)
        return Split(chosen, mine, positions, np.array([ids.index(c.id) for c in mine.clips]))

    return Machine(name, ids, split(TRAIN), split(TEST))


def windows_of(logmels: LogMels, config: Any) -> Windows:
    """The windows of a set of clips."""
    return find_windows(logmels.frames, logmels.offsets, **config.window.to_dict())


def _of_all_processes(bad: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (place, why) for text in gather_text(json.dumps(bad)) for place, why in json.loads(text)
    )
