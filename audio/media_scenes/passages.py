"""Who is heard when: the passages of a stream, on disk, and as shares of its snippets."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from audio.clips import DataError
from audio.media_scenes.settings import SceneSettings

LIVE, MEDIA = "live", "media"
KINDS = (LIVE, MEDIA)
COLUMNS = ("stream", "split", "onset", "offset", "kind", "source")


class Passage(NamedTuple):
    """A stretch of a stream in which one source is heard.

    Attributes:
        onset: where it begins, seconds into the stream.
        offset: where it ends.
        kind: `live` or `media`.
        source: whose voice, or which recording.
    """

    onset: float
    offset: float
    kind: str
    source: str


def draw_passages(
    rng: np.random.Generator, settings: SceneSettings, sources: Mapping[str, Sequence[str]]
) -> list[Passage]:
    """Passages end to end, from a stream's beginning to its end.

    The first has begun some time before the stream, and the last goes on after it. Times are whole
    milliseconds, so that a table of them is exact.

    Args:
        rng: source of the stream.
        settings: how long they are.
        sources: kind -> what may be heard.
    """
    kind = KINDS[int(rng.integers(2))]
    passages: list[Passage] = []
    onset = 0.0
    while onset < settings.stream_seconds:
        seconds = rng.uniform(settings.shortest_seconds, settings.longest_seconds)
        if not passages:
            seconds *= 1 - rng.random()
        offset = min(round(onset + seconds, 3), settings.stream_seconds)
        source = sources[kind][int(rng.integers(len(sources[kind])))]
        if offset > onset:
            passages.append(Passage(onset, offset, kind, source))
        onset = offset
        if rng.random() < settings.switch_share:
            kind = MEDIA if kind == LIVE else LIVE
    return passages


def media_shares(
    passages: Sequence[Passage], num_snippets: int, snippet_seconds: float
) -> np.ndarray:
    """The share of each snippet that is media, (num_snippets,) in [0, 1]."""
    starts = np.arange(num_snippets) * snippet_seconds
    seconds = np.zeros(num_snippets)
    for passage in passages:
        if passage.kind == MEDIA:
            ends = np.minimum(starts + snippet_seconds, passage.offset)
            seconds += np.maximum(ends - np.maximum(starts, passage.onset), 0)
    return seconds / snippet_seconds


def write_annotations(path: Path, passages: Mapping[tuple[str, str], Sequence[Passage]]) -> None:
    """Writes `stream,split,onset,offset,kind,source`; passages are by (split, stream)."""
    with path.open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for (split, stream), own in passages.items():
            table.writerows([stream, split, *passage] for passage in own)


def read_annotations(path: Path) -> dict[tuple[str, str], list[Passage]]:
    """What `write_annotations` has written.

    Raises:
        DataError: there is no such table.
    """
    passages: dict[tuple[str, str], list[Passage]] = {}
    try:
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                passage = Passage(
                    float(row["onset"]), float(row["offset"]), row["kind"], row["source"]
                )
                passages.setdefault((row["split"], row["stream"]), []).append(passage)
    except (OSError, KeyError, ValueError) as error:
        raise DataError(f"{path} is no table of passages ({error}); delete its folder") from error
    return passages


def divided(names: Sequence[str], settings: SceneSettings) -> tuple[list[str], list[str]]:
    """Names for train, and names for test: a share of them, one of each at least."""
    order = np.random.default_rng([settings.seed, len(names)]).permutation(len(names))
    num_test = min(max(round(settings.test_share * len(names)), 1), len(names) - 1)
    chosen = set(order[:num_test].tolist())
    train = [name for i, name in enumerate(names) if i not in chosen]
    return train, [name for i, name in enumerate(names) if i in chosen]
