"""A machine judged: scores of all its clips, what there is to show of them, and what it cost."""

import math
from collections import Counter
from typing import Any, NamedTuple

import numpy as np

from experiments import pictures
from experiments.costs import Stopwatch, hours_of, num_parameters, train_seconds
from experiments.data import Machine, Split, windows_of
from experiments.fit import fit
from experiments.method import Method, Variables
from experiments.processes import is_main, merge
from experiments.score import compile_chunks, score_clips
from experiments.sources import Source
from experiments.strange import strangest
from experiments.track import Member
from scoring.costs import Cost
from scoring.maps import StrangeClip
from scoring.report import Picture
from scoring.rows import ScoreRow, write_scores


class Judged(NamedTuple):
    """What the report says of one machine; of clips and pictures only the main process has any."""

    rows: list[ScoreRow]
    strange: list[StrangeClip]
    pictures: list[Picture]
    cost: Cost


def judge(member: Member, machine: Machine, source: Source, variables: Variables) -> Judged:
    """Scores all clips of a machine with what was learned of it."""
    method, config, name = member.method, member.config, machine.name
    fitting, scoring = Stopwatch(), Stopwatch()
    with fitting:
        learned, variables = variables, fit_split(method, variables, machine.train, config, name)
    if method.fit:
        rows = score_halves(method, learned, machine.train, config, name, scoring)
    else:
        rows = score_split(method, variables, machine.train, config, name, scoring)
    rows += score_split(method, variables, machine.test, config, name, scoring)
    cost = cost_of(member, machine, learned, fitting, scoring)
    if not is_main():
        return Judged(rows, [], [], cost)
    write_scores(member.workdir / "scores.csv", rows)
    return Judged(
        rows,
        strangest(method, variables, machine, rows, config, source),
        pictures.augmentations(method, variables, machine, config),
        cost,
    )


def cost_of(
    member: Member, machine: Machine, learned: Variables, fitting: Stopwatch, scoring: Stopwatch
) -> Cost:
    """What a machine's model took.

    Args:
        member: what was trained.
        machine: on what.
        learned: what it learned.
        fitting: ran while what is not learned by gradient was fitted.
        scoring: ran while clips were scored; embedding them is added.
    """
    fit_seconds = train_seconds(member.workdir) + fitting.seconds
    return Cost(
        machine=machine.name,
        parameters=num_parameters(learned),
        fit_seconds=None if math.isnan(fit_seconds) else fit_seconds,
        score_seconds=scoring.seconds + machine.embedding.seconds,
        hours_scored=hours_of(machine, member.config),
    )


def fit_split(
    method: Method, variables: Variables, split: Split, config: Any, task: str
) -> Variables:
    """What a method fits to a split's clips, where it does, with what it has learned."""
    windows, size = windows_of(split.mine, config), config.score.batch_size
    return fit(method, variables, windows, split.ids, size, f"{task}: fitting")


def score_halves(
    method: Method,
    variables: Variables,
    train: Split,
    config: Any,
    task: str,
    stopwatch: Stopwatch,
) -> list[ScoreRow]:
    """The score rows of train clips, each half's with what is fitted to the other.

    Fitted to themselves, train clips would look more normal than any other clip, and thresholds and
    ensembles rest on them. With fewer than two clips of an id it cannot be helped. The stopwatch
    runs while clips are scored, and not while halves are fitted to.
    """
    counts = Counter(clip.id for clip in train.clips)
    if min(counts.values()) < 2:
        fitted = fit_split(method, variables, train, config, task)
        return score_split(method, fitted, train, config, task, stopwatch)
    rows = []
    for half in (train.positions % 2 == 0, train.positions % 2 == 1):
        fitted = fit_split(method, variables, train.part(~half), config, task)
        rows += score_split(method, fitted, train.part(half), config, task, stopwatch)
    return sorted(rows, key=lambda row: row.name)


def score_split(
    method: Method,
    variables: Variables,
    split: Split,
    config: Any,
    task: str,
    stopwatch: Stopwatch,
) -> list[ScoreRow]:
    """The score rows of a split's clips, put together from all processes.

    The stopwatch runs from windows to scores; by then the program has been compiled.
    """
    windows, size = windows_of(split.mine, config), config.score.batch_size
    compile_chunks(method.score, variables, windows, split.ids, size)
    with stopwatch:
        scores = score_clips(
            method,
            variables,
            windows,
            split.ids,
            config.score.pooling,
            size,
            f"{task}: scoring",
        )
    every = merge(scores, split.positions, len(split.clips))
    return [
        ScoreRow(clip.machine, clip.id, clip.split, clip.name, clip.label, float(score))
        for clip, score in zip(split.clips, every, strict=True)
        if not np.isnan(score)
    ]
