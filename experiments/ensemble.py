"""Several experiments as one detector: members trained or found, their scores joined.

A member is a config, or variants of one; it is trained in `members/<name>` of the work directory
unless a finished run of the same config lies there or beside it. Members may also be `scores.csv`
files of any other system.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict

from experiments import workdir as work
from experiments.errors import ConfigError
from experiments.experiment import facts, run
from experiments.processes import is_main, wait
from scoring.agreement import write_agreement
from scoring.comparison import compare, format_comparison, write_comparison
from scoring.ensemble import COMBINATIONS, Ensemble, ensemble
from scoring.members import Member, read_member
from scoring.report import Report, write_report
from scoring.tables import write_tables

# What all members have in common is said once, in the ensemble's own config.
SHARED = ("seed", "data", "hall", "logmel", "report")


def run_ensemble(config: Any, workdir: Path, started: float) -> Path | None:
    """Runs the members that have not been run, joins them and reports.

    Args:
        config: as `configs.ensembles` makes it.
        workdir: where all its files go.
        started: when the command was started, by `time.monotonic`.

    Returns:
        The report, or None on all processes but the main one.

    Raises:
        ConfigError, DataError, EnsembleError: what a user can mend.
    """
    foreign = _check(config)
    work.check(workdir, config)
    if is_main():
        work.claim(workdir, config)
    found = [
        (name, [_run_member(variant, workdir / where, started) for where, variant in variants])
        for name, variants in _members(config)
    ]
    if not is_main():
        return None
    members = [
        read_member(name, *(folder / "scores.csv" for folder in each)) for name, each in found
    ]
    members += [read_member(name, path) for name, path in foreign]
    return _report(ensemble(members), members, config, workdir, started)


def _check(config: Any) -> list[tuple[str, str]]:
    """Checks the config; returns names and files of the members that are others' scores."""
    if config.combine not in COMBINATIONS:
        known = ", ".join(COMBINATIONS)
        raise ConfigError(f"combine={config.combine!r} is not known: use {known}")
    pairs = [text.partition("=") for text in (config.scores or "").split(",") if text]
    if not all(name and path for name, _, path in pairs):
        raise ConfigError(f"scores={config.scores!r} must be NAME=FILE.csv,NAME=FILE.csv")
    if not config.members and not pairs:
        raise ConfigError("an ensemble needs members: configs, or --config.scores=NAME=FILE.csv")
    return [(name, path) for name, _, path in pairs]


def _members(config: Any) -> Iterator[tuple[str, list[tuple[Path, ConfigDict]]]]:
    """Each member's name, and where its variants are kept with their whole configs."""
    for name, member in config.members.items():
        variants = member.variants.items() if "variants" in member else [("", member)]
        yield (
            name,
            [
                (Path("members") / name / variant, whole_config(each, config))
                for variant, each in variants
            ],
        )


def whole_config(member: ConfigDict, config: ConfigDict) -> ConfigDict:
    """A member's config with what it shares with the others."""
    whole = ConfigDict(member.to_dict())
    for section in SHARED:
        if section in config:
            whole[section] = config[section]
    return whole


def _run_member(config: ConfigDict, workdir: Path, started: float) -> Path:
    """Where a member's scores are, once it has been run."""
    beside = workdir.parents[1].parent
    for folder in (workdir, *sorted(beside.glob("*"))):
        if work.is_finished(folder, config):
            if is_main():
                print(f"{workdir.name}: found in {folder}")
            return folder
    run(config, workdir, started)
    wait(str(workdir))
    return workdir


def _report(
    joined: Ensemble, members: list[Member], config: Any, workdir: Path, started: float
) -> Path:
    rows = joined.combined[config.combine]
    write_tables(workdir, rows)
    results = compare(joined.systems)
    write_comparison(workdir / "comparison.csv", results)
    write_agreement(workdir / "agreement.csv", joined.systems)
    print(format_comparison(results))
    report = Report(
        title=f"{workdir.name}: {', '.join(member.name for member in members)}",
        rows=rows,
        config=json.dumps(json.loads((workdir / "config.json").read_text()), indent=2),
        facts=facts(config, rows, started),
        ensemble=joined,
    )
    return write_report(workdir / "report.html", report)
