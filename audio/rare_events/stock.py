"""What mixtures are made from: events and backgrounds, made up or out of a folder."""

import csv
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from audio.clips import DataError
from audio.rare_events.gate import active_runs
from audio.rare_events.settings import SPLITS, TEST, TRAIN, VALID, MixtureSettings
from audio.rare_events.synthetic import BEDS, EVENTS
from audio.reading import read_signal
from audio.recordings import is_recording, recordings_under

BED_SECONDS = 40.0  # of a synthetic background, from which mixtures are cut


@dataclass(frozen=True)
class Source:
    """A recording to draw from, or a sound that stands for one.

    Attributes:
        name: unique within a stock, such as `baby_cry/1-187207-A.ogg`.
        signal: gives its samples, (samples,), at the mixtures' rate.
        spans: where in it events are, (first, after) samples each; of a background, what of it is
            not silence.
    """

    name: str
    signal: Callable[[], np.ndarray]
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Stock:
    """The sources of each split, which have none in common.

    Attributes:
        events: split -> class -> its sources.
        backgrounds: split -> sources.
    """

    events: Mapping[str, Mapping[str, tuple[Source, ...]]]
    backgrounds: Mapping[str, tuple[Source, ...]]


def synthetic_stock(settings: MixtureSettings) -> Stock:
    """Sounds that are made up; each source is a seed of its own."""
    classes = settings.classes or tuple(EVENTS)
    if unknown := sorted(set(classes) - set(EVENTS)):
        raise DataError(f"there is no synthetic {', '.join(unknown)}: use {', '.join(EVENTS)}")
    events = {name: _made_up(name, settings) for name in classes}
    backgrounds = [source for kind in BEDS for source in _made_up(kind, settings)]
    return _shared_out(events, backgrounds, settings)


def _made_up(kind: str, settings: MixtureSettings) -> list[Source]:
    """The sources of one kind; twenty backgrounds of a kind are as many as forty events."""
    rate, kinds = settings.sample_rate, [*EVENTS, *BEDS]
    make: Callable[[np.random.Generator], np.ndarray]
    if kind in EVENTS:
        make, count = lambda rng: EVENTS[kind](rng, rate), settings.num_sources
    else:
        length = int(max(BED_SECONDS, settings.seconds) * rate)
        make, count = lambda rng: BEDS[kind](rng, length, rate), -(-settings.num_sources // 2)

    def signal(seed: list[int]) -> np.ndarray:
        return make(np.random.default_rng(seed)).astype(np.float32)

    seeds = [[settings.seed, kinds.index(kind), i] for i in range(count)]
    return [
        Source(f"{kind}/{i:02d}", each, ((0, len(each())),))
        for i, each in enumerate(lru_cache(partial(signal, seed)) for seed in seeds)
    ]


def folder_stock(root: Path, settings: MixtureSettings) -> Stock:
    """A person's own recordings: `events/<class>/*` and `backgrounds/**`.

    `events/spans.csv`, if it is there, says where events are: `file` (such as `dog/a.wav`), `onset`
    and `offset` in seconds, a line for each; of files it does not name an energy gate finds them.

    Raises:
        DataError: a folder is missing, or has too few recordings.
    """
    found = {path.name: path for path in _folders(root / "events")}
    if not found:
        raise DataError(f"{root / 'events'} has no folder of recordings: make one for each event")
    if missing := sorted(set(settings.classes) - set(found)):
        raise DataError(f"{root / 'events'} has no {', '.join(missing)}; it has {', '.join(found)}")
    annotated = _read_spans(root / "events" / "spans.csv", settings.sample_rate)
    events = {
        name: _recorded(found[name].iterdir(), root / "events", settings, annotated)
        for name in settings.classes or sorted(found)
    }
    beds = root / "backgrounds"
    backgrounds = _recorded(recordings_under(beds), beds, settings, {})
    for name, sources in [*events.items(), ("backgrounds", backgrounds)]:
        if len(sources) < len(SPLITS):
            raise DataError(
                f"{root} has {len(sources)} recordings of {name} that are not silent: at least"
                " three are needed, to train, to choose a threshold and to test"
            )
    return _shared_out(events, backgrounds, settings)


def _folders(root: Path) -> list[Path]:
    return sorted(path for path in root.glob("*") if path.is_dir())


def _recorded(
    paths: Iterable[Path],
    root: Path,
    settings: MixtureSettings,
    annotated: Mapping[str, list[tuple[int, int]]],
) -> list[Source]:
    """The recordings among some files that are not silent."""
    rate, sources = settings.sample_rate, []
    for path in sorted(filter(is_recording, paths)):
        signal = lru_cache(partial(read_signal, path, rate))
        name = path.relative_to(root).as_posix()
        runs = annotated.get(name) or active_runs(
            signal(), rate, settings.gate_db, settings.gate_gap
        )
        spans = tuple((a, min(b, len(signal()))) for a, b in runs if a < len(signal()))
        if spans:
            sources.append(Source(name, signal, spans))
    return sources


def _read_spans(path: Path, sample_rate: int) -> dict[str, list[tuple[int, int]]]:
    spans: dict[str, list[tuple[int, int]]] = defaultdict(list)
    if path.is_file():
        try:
            for line in csv.DictReader(path.read_text().splitlines()):
                onset, offset = float(line["onset"]), float(line["offset"])
                if not 0 <= onset < offset:
                    raise ValueError(f"onset {onset} and offset {offset}")
                spans[line["file"]].append((int(onset * sample_rate), int(offset * sample_rate)))
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{path} is no table of file, onset, offset ({error!r})") from None
    return spans


def _shared_out(
    events: Mapping[str, list[Source]], backgrounds: list[Source], settings: MixtureSettings
) -> Stock:
    """Divides the sources among the splits."""
    by_class = {name: _divide(sources, settings) for name, sources in events.items()}
    return Stock(
        {split: {name: each[split] for name, each in by_class.items()} for split in SPLITS},
        _divide(backgrounds, settings),
    )


def _divide(sources: list[Source], settings: MixtureSettings) -> dict[str, tuple[Source, ...]]:
    """Each split's share, at least one source: a permutation that the seed decides."""
    order = np.random.default_rng(settings.seed).permutation(len(sources))
    num_test = max(round(settings.test_share * len(sources)), 1)
    num_valid = max(round(settings.valid_share * len(sources)), 1)
    parts = np.split(order, [num_test, num_test + num_valid])
    return {
        split: tuple(sources[i] for i in part)
        for split, part in zip((TEST, VALID, TRAIN), parts, strict=True)
    }
