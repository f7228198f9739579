"""The members of an ensemble, and whether they speak of the same clips.

Members can only be joined, or compared, clip by clip. So before anything else they are aligned:
each clip once in each of them, all in one order, and a label that one of them knows known to all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from scoring.rows import ScoreRow, read_scores

Clip = tuple[str, str, str, str]

_NAMED = 3  # clips an error names before it counts the rest


class EnsembleError(ValueError):
    """The members cannot be joined; one line that names the member and the clips."""


@dataclass(frozen=True)
class Member:
    """One voice of an ensemble.

    Attributes:
        name: What tables and figures call it.
        variants: The score rows of one model, or of several that differ in their augmentation
            and are to speak with one voice; each variant holds all clips, train and test.
    """

    name: str
    variants: Sequence[Sequence[ScoreRow]]


def read_member(name: str, *paths: Path | str) -> Member:
    """A member from `scores.csv` files, whoever wrote them; several files are its variants.

    Raises:
        EnsembleError: No file, or one that is missing or malformed.
    """
    try:
        return Member(name, [read_scores(path) for path in paths])
    except ValueError as error:
        raise EnsembleError(f"member {name!r}: {error}") from None


def clip_of(row: ScoreRow) -> Clip:
    """What makes two rows the same clip."""
    return row.machine, row.id, row.split, row.name


def align(systems: Mapping[str, Sequence[ScoreRow]]) -> dict[str, list[ScoreRow]]:
    """The same rows with all systems' clips in one order: machine, id, train before test, name.

    A label that some systems do not know is taken from those that do.

    Args:
        systems: What errors call a system -> its rows.

    Raises:
        EnsembleError: A clip is doubled or missing in one of them, or two call it differently.
    """
    tables = {name: _by_clip(name, rows) for name, rows in systems.items()}
    every = set().union(*tables.values())
    for name, table in tables.items():
        if missing := every - set(table):
            others = [other for other, clips in tables.items() if missing & set(clips)]
            raise EnsembleError(
                f"{name} has no score for {name_clips(missing)}, which {others[0]} has: "
                "score the same clips with every member"
            )
    labels = _labels(tables)
    order = sorted(every, key=lambda clip: (*clip[:2], clip[2] != "train", clip[3]))
    return {
        name: [replace(table[clip], label=labels.get(clip)) for clip in order]
        for name, table in tables.items()
    }


def _by_clip(name: str, rows: Sequence[ScoreRow]) -> dict[Clip, ScoreRow]:
    """A system's rows by clip."""
    table = {clip_of(row): row for row in rows}
    if not table:
        raise EnsembleError(f"{name} has no scores: score the clips with it first")
    if len(table) < len(rows):
        doubled = [clip for clip, n in Counter(map(clip_of, rows)).items() if n > 1]
        raise EnsembleError(
            f"{name} has more than one score for {name_clips(doubled)}: leave one row for each"
        )
    return table


def _labels(tables: Mapping[str, Mapping[Clip, ScoreRow]]) -> dict[Clip, int]:
    """What is known of each clip."""
    labels: dict[Clip, int] = {}
    source: dict[Clip, str] = {}
    for name, table in tables.items():
        known = {clip: row.label for clip, row in table.items() if row.label is not None}
        differing = [clip for clip, label in known.items() if labels.get(clip, label) != label]
        if differing:
            first = source[min(differing)]
            raise EnsembleError(
                f"{name} and {first} disagree on the label of {name_clips(differing)}: "
                "mend the scores.csv that is wrong"
            )
        labels.update(known)
        source.update({clip: name for clip in known if clip not in source})
    return labels


def name_clips(clips: Collection[Clip]) -> str:
    """The first few clips by name, and how many more there are."""
    text = ", ".join(f"{c[0]} id {c[1]} {c[2]} {c[3]!r}" for c in sorted(clips)[:_NAMED])
    more = len(clips) - _NAMED
    return f"{text} and {more:,} more" if more > 0 else text
