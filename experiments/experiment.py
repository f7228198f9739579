"""One experiment from end to end: data, training, scores, tables, report."""

import resource
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
import numpy as np

from experiments import workdir as work
from experiments.batches import Batches
from experiments.data import DataSet, Machine, Split, load_data, windows_of
from experiments.methods import Method, Variables, build
from experiments.metrics import read_metrics
from experiments.processes import is_main, merge
from experiments.score import check_pooling, score_clips
from experiments.sources import Source
from experiments.strange import strangest
from experiments.train import check_training, train
from scoring.maps import StrangeClip
from scoring.report import Report, write_report
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
    check_pooling(config.score.pooling)
    data = load_data(config)
    for machine in data.machines:
        build(config, len(machine.ids))
    if is_main():
        work.claim(workdir, config)
        for note in data.notes:
            print(note)
    rows, strange = [], []
    for machine in data.machines:
        more_rows, more_strange = run_machine(machine, config, workdir / machine.name, data.source)
        rows += more_rows
        strange += more_strange
    if not is_main():
        return None
    results = write_tables(workdir, rows)
    if any(result.auc is not None for result in results):
        print(format_results(results))
    report = Report(
        title=f"{workdir.name}: {', '.join(machine.name for machine in data.machines)}",
        rows=rows,
        curves={m.name: read_metrics(workdir / m.name) for m in data.machines},
        strange_clips=strange,
        config=(workdir / "config.json").read_text(),
        facts=facts(config, data, rows, started),
        skipped=data.skipped,
    )
    return write_report(workdir / "report.html", report)


def run_machine(
    machine: Machine, config: Any, workdir: Path, source: Source
) -> tuple[list[ScoreRow], list[StrangeClip]]:
    """Trains on one machine's normal clips and scores all it has.

    A machine that an earlier run finished is not trained again.
    """
    method = build(config, len(machine.ids))
    windows = windows_of(machine.train.mine, config)
    batches = Batches(windows, machine.train.ids, config.train.batch_size, config.seed)
    variables = train(method, batches, windows.frames, config, workdir, machine.name)
    rows = [
        row
        for split in (machine.train, machine.test)
        for row in score_split(method, variables, split, config, machine.name)
    ]
    if not is_main():
        return rows, []
    write_scores(workdir / "scores.csv", rows)
    return rows, strangest(method, variables, machine, rows, config, source)


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


def facts(config: Any, data: DataSet, rows: list[ScoreRow], started: float) -> dict[str, str]:
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
        **{f"Note {i}": note for i, note in enumerate(data.notes, 1)},
    }
