"""One experiment from end to end: data, training, scores, tables, report."""

import resource
import sys
import time
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from experiments import pictures
from experiments import workdir as work
from experiments.batches import Batches
from experiments.data import Machine, Split, load_data, training_windows, windows_of
from experiments.fit import fit
from experiments.methods import Method, Variables, build
from experiments.metrics import read_metrics
from experiments.population import check_population, populations
from experiments.processes import is_main, merge
from experiments.rehearsal import rehearsed
from experiments.score import check_pooling, score_clips
from experiments.sources import Source
from experiments.steps import check_training
from experiments.strange import strangest
from experiments.train import Member, train
from scoring.maps import StrangeClip
from scoring.report import Picture, Report, write_report
from scoring.rows import ScoreRow, write_scores
from scoring.tables import format_results, write_tables


def run(config: Any, workdir: Path, started: float) -> Path | None:
    """Runs an experiment, or what is left of it.

    Args:
        config: the experiment, as `configs/` describes them.
        workdir: where all its files go.
        started: when the command was started, by `time.monotonic`.

    Returns:
        The report, or None on all processes but the main one.

    Raises:
        ConfigError, DataError: what a user can mend.
    """
    work.check(workdir, config)
    check_training(config)
    check_population(config.train.population)
    check_pooling(config.score.pooling)
    data = rehearsed(load_data(config), config.data.rehearsal)
    machines = {machine.name: machine for machine in data.machines}
    members = [_member(machine, config, workdir) for machine in machines.values()]
    if is_main():
        work.claim(workdir, config)
        for note in data.notes:
            print(note)
    judged = {}
    for together in populations(members, config.train.population):
        for member, variables in zip(together, train(together), strict=True):
            judged[member.name] = judge(member, machines[member.name], variables, data.source)
    rows = [row for name in machines for row in judged[name].rows]
    if not is_main():
        return None
    results = write_tables(workdir, rows)
    if any(result.auc is not None for result in results):
        print(format_results(results))
    report = Report(
        title=f"{workdir.name}: {', '.join(machine.name for machine in data.machines)}",
        rows=rows,
        curves={m.name: read_metrics(workdir / m.name) for m in data.machines},
        strange_clips=[clip for name in machines for clip in judged[name].strange],
        config=(workdir / "config.json").read_text(),
        facts=facts(config, rows, started, data.notes),
        skipped=data.skipped,
        pictures=[picture for name in machines for picture in judged[name].pictures],
        pictures_title=pictures.TITLE,
    )
    return write_report(workdir / "report.html", report)


def _member(machine: Machine, config: Any, workdir: Path) -> Member:
    windows, classes = training_windows(machine, config)
    batches = Batches(windows, classes, config.train.batch_size, config.seed)
    method = build(config, len(machine.ids))
    return Member(machine.name, method, batches, config, workdir / machine.name)


class Judged(NamedTuple):
    """What the report says of one machine; of clips and pictures only the main process has any."""

    rows: list[ScoreRow]
    strange: list[StrangeClip]
    pictures: list[Picture]


def judge(member: Member, machine: Machine, variables: Variables, source: Source) -> Judged:
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


def facts(
    config: Any, rows: list[ScoreRow], started: float, notes: Sequence[str] = ()
) -> dict[str, str]:
    """What a reader of the report may want to know about the run itself."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak_bytes = peak if sys.platform == "darwin" else peak * 1024
    num_train = sum(row.split == "train" for row in rows)
    devices = jax.devices()
    return {
        "Data": f"{config.data.source}, {num_train} train and {len(rows) - num_train} test clips",
        "Wall time": f"{time.monotonic() - started:.0f} s",
        "Peak memory": f"{peak_bytes / 1e9:.2f} GB",
        "Devices": f"{len(devices)} x {devices[0].device_kind}, {jax.process_count()} process(es)",
        "Versions": ", ".join(f"{name} {version(name)}" for name in ("gmade", "jax", "tensorflow")),
        **{f"Note {i}": note for i, note in enumerate(notes, 1)},
    }
