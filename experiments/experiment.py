"""One experiment from end to end: data, training, scores, tables, report."""

import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import jax

from audio.clips import Clip
from experiments import pictures
from experiments import workdir as work
from experiments.choose import choose, grid_of
from experiments.data import (
    DataSet,
    load_data,
    speeds_of,
)
from experiments.judge import Judged, judge
from experiments.members import member_of
from experiments.metrics import read_metrics
from experiments.population import check_population, populations
from experiments.processes import is_main
from experiments.rehearsal import rehearsed
from experiments.score import check_pooling
from experiments.steps import check_training
from experiments.track import Member
from experiments.train import train
from scoring.costs import write_costs
from scoring.report import Report, write_report
from scoring.rows import ScoreRow
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
    (report,) = run_all([(config, workdir)], started)
    return report


# What decides which features a config's models are given.
DATA_SECTIONS = ("data", "hall", "logmel", "window", "embedding")


class Experiment(NamedTuple):
    """An experiment with its data loaded, ready to train a model for each machine."""

    config: Any
    workdir: Path
    data: DataSet
    members: list[Member]


def run_all(experiments: Sequence[tuple[Any, Path]], started: float) -> list[Path | None]:
    """Runs several experiments, those of one shape as one program where `train.population` says.

    Args:
        experiments: their configs and work directories.
        started: when the command was started, by `time.monotonic`.

    Returns:
        Their reports, None on all processes but the main one.

    Raises:
        ConfigError, DataError: what a user can mend.
    """
    data = _SharedData()
    opened = [_open(config, workdir, data) for config, workdir in experiments]
    machines = {
        member.workdir: (machine, each.data.source)
        for each in opened
        for member, machine in zip(each.members, each.data.machines, strict=True)
    }
    judged = {}
    members = [member for each in opened for member in each.members]
    for together in populations(members, members[0].config.train.population):
        for member, variables in zip(together, train(together), strict=True):
            judged[member.workdir] = judge(member, *machines[member.workdir], variables)
    return [
        _report(each, [judged[member.workdir] for member in each.members], started)
        for each in opened
    ]


class _SharedData:
    """Loads what several experiments have in common once."""

    def __init__(self) -> None:
        self.loaded: dict[str, DataSet] = {}

    def __call__(self, config: Any) -> DataSet:
        names = [name for name in DATA_SECTIONS if name in config]
        sections = [config[name].to_dict() for name in names]
        key = json.dumps([sections, speeds_of(config)])
        if key not in self.loaded:
            self.loaded[key] = rehearsed(load_data(config), config.data.rehearsal)
        return self.loaded[key]


def _open(config: Any, workdir: Path, load: Callable[[Any], DataSet]) -> Experiment:
    """Checks all that can be checked, loads the data, and makes the directory the config's own."""
    work.check(workdir, config)
    check_training(config)
    check_population(config.train.population)
    check_pooling(config.score.pooling)
    grid_of(config)
    data = load(config)
    # What cannot be built is found before anything is written.
    members = [member_of(machine, config, workdir) for machine in data.machines]
    if is_main():
        work.claim(workdir, config)
        for note in data.notes:
            print(note)
    if "choose" in config:
        members, said = zip(*(choose(m, config, workdir) for m in data.machines), strict=True)
        data = replace(data, notes=(*data.notes, *said))
    return Experiment(config, workdir, data, list(members))


def _report(experiment: Experiment, judged: list[Judged], started: float) -> Path | None:
    """Writes an experiment's tables and its report."""
    config, workdir, data, _ = experiment
    if not is_main():
        return None
    rows = [row for each in judged for row in each.rows]
    write_costs(workdir / "costs.csv", [each.cost for each in judged])
    results = write_tables(workdir, rows)
    if any(result.auc is not None for result in results):
        print(format_results(results))
    report = Report(
        title=f"{workdir.name}: {', '.join(machine.name for machine in data.machines)}",
        rows=rows,
        curves={m.name: read_metrics(workdir / m.name) for m in data.machines},
        strange_clips=[clip for each in judged for clip in each.strange],
        config=(workdir / "config.json").read_text(),
        facts=facts(config, rows, started, data.notes),
        skipped=data.skipped,
        pictures=[picture for each in judged for picture in each.pictures],
        pictures_title=pictures.TITLE,
    )
    return write_report(workdir / "report.html", report)


def facts(
    config: Any, rows: Sequence[ScoreRow | Clip], started: float, notes: Sequence[str] = ()
) -> dict[str, str]:
    """What a reader of the report may want to know about the run itself."""
    num_train = sum(row.split == "train" for row in rows)
    return {
        "Data": f"{config.data.source}, {num_train} train and {len(rows) - num_train} test clips",
        **run_facts(time.monotonic() - started),
        **{f"Note {i}": note for i, note in enumerate(notes, 1)},
    }


def run_facts(seconds: float) -> dict[str, str]:
    """What it took, whatever it was.

    Args:
        seconds: wall time.
    """
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak_bytes = peak if sys.platform == "darwin" else peak * 1024
    devices = jax.devices()
    return {
        "Wall time": f"{seconds:.0f} s",
        "Peak memory": f"{peak_bytes / 1e9:.2f} GB",
        "Devices": f"{len(devices)} x {devices[0].device_kind}, {jax.process_count()} process(es)",
        "Versions": ", ".join(f"{name} {version(name)}" for name in ("gmade", "jax", "tensorflow")),
    }
