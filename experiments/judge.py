"""A machine judged: scores of all its clips, and what there is to show of them."""

from collections import Counter
from typing import Any, NamedTuple

import numpy as np

from experiments import pictures
from experiments.data import Machine, Split, windows_of
from experiments.fit import fit
from experiments.method import Method, Variables
from experiments.processes import is_main, merge
from experiments.score import score_clips
from experiments.sources import Source
from experiments.strange import strangest
from experiments.track import Member
from scoring.maps import StrangeClip
from scoring.report import Picture
from scoring.rows import ScoreRow, write_scores


class Judged(NamedTuple):
    """What the report says of one machine; of clips and pictures only the main process has any."""

    rows: list[ScoreRow]
    strange: list[StrangeClip]
    pictures: list[Picture]


def judge(member: Member, machine: Machine, source: Source, variables: Variables) -> Judged:
    """Scores all clips of a machine with what was learned of it."""
    method, config, name = member.method, member.config, machine.name
    learned, variables = variables, fit_split(method, variables, machine.train, config, name)
    if method.fit:
        rows = score_halves(method, learned, machine.train, config, name)
    else:
        rows = score_split(method, variables, machine.train, config, name)
    rows += score_split(method, variables, machine.test, config, name)
    if not is_main():
        return Judged(rows, [], [])
    write_scores(member.workdir / "scores.csv", rows)
    return Judged(
        rows,
        strangest(method, variables, machine, rows, config, source),
        pictures.augmentations(method, variables, machine, config),
    )


def fit_split(
    method: Method, variables: Variables, split: Split, config: Any, task: str
) -> Variables:
    """What a method fits to a split's clips, where it does, with what it has learned."""
    windows, size = windows_of(split.mine, config), config.score.batch_size
    return fit(method, variables, windows, split.ids, size, f"{task}: fitting")


def score_halves(
    method: Method, variables: Variables, train: Split, config: Any, task: str
) -> list[ScoreRow]:
    """The score rows of train clips, each half's with what is fitted to the other.

    Fitted to themselves, train clips would look more normal than any other clip, and thresholds and
    ensembles rest on them. With fewer than two clips of an id it cannot be helped.
    """
    counts = Counter(clip.id for clip in train.clips)
    if min(counts.values()) < 2:
        fitted = fit_split(method, variables, train, config, task)
        return score_split(method, fitted, train, config, task)
    rows = []
    for half in (train.positions % 2 == 0, train.positions % 2 == 1):
        fitted = fit_split(method, variables, train.part(~half), config, task)
        rows += score_split(method, fitted, train.part(half), config, task)
    return sorted(rows, key=lambda row: row.name)


def score_split(
    method: Method, variables: Variables, split: Split, config: Any, task: str
) -> list[ScoreRow]:
    """The score rows of a split's clips, put together from all processes."""
    scores = score_clips(
        method,
        variables,
        windows_of(split.mine, config),
        split.ids,
        config.score.pooling,
        config.score.batch_size,
        f"{task}: scoring",
    )
    every = merge(scores, split.positions, len(split.clips))
    return [
        ScoreRow(clip.machine, clip.id, clip.split, clip.name, clip.label, float(score))
        for clip, score in zip(split.clips, every, strict=True)
        if not np.isnan(score)
    ]
