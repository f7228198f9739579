"""Several experiments as one detector, or side by side: members trained or found, and joined.

A member is a config, or variants of one; it is trained in `members/<name>` of the work directory
unless a finished run of the same config lies there or beside it. Members may also be `scores.csv`
files of any other system. With `combine="none"` nothing is joined: that is a study.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict

from experiments import workdir as work
from experiments.errors import ConfigError, Missing
from experiments.experiment import facts, run
from experiments.processes import is_main, wait
from experiments.study import report_study
from scoring.agreement import write_agreement
from scoring.comparison import compare, format_comparison, write_comparison
from scoring.ensemble import COMBINATIONS, Ensemble, ensemble
from scoring.members import Member, read_member
from scoring.report import Report, write_report
from scoring.tables import write_tables

# What all members have in common is said once, in the ensemble's own config.
SHARED = ("seed", "data", "hall", "logmel", "report")
NONE = "none"

Variants = list[tuple[Path, ConfigDict]]


def run_ensemble(config: Any, workdir: Path, started: float) -> Path | None:
    """Runs the members that have not been run, joins them unless it is a study, and reports.

    Args:
        config: as `configs.ensembles` makes it.
        workdir: where all its files go.
        started: when the command was started, by `time.monotonic`.

    Returns:
        The report, or None on all processes but the main one.

    Raises:
        ConfigError, DataError, EnsembleError: what a user can mend. With `on_missing="skip"` a
            member that lacks pretrained weights or sound is left out instead, unless all do.
    """
    foreign = _check(config)
    work.check(workdir, config)
    if is_main():
        work.claim(workdir, config)
    found, left_out = _run_members(config, workdir, started)
    if not (found or foreign):
        raise ConfigError("no member is left: " + "; ".join(f"{n}: {why}" for n, why in left_out))
    if not is_main():
        return None
    if config.combine == NONE:
        alone = [(name, folder) for name, (folder,) in found]
        return report_study(alone, foreign, left_out, config, workdir, started)
    members = [
        read_member(name, *(folder / "scores.csv" for folder in each)) for name, each in found
    ]
    members += [read_member(name, path) for name, path in foreign]
    notes = [f"{name} is left out: {why}" for name, why in left_out]
    return _report(ensemble(members), members, config, workdir, started, notes)


def _check(config: Any) -> list[tuple[str, str]]:
    """Checks the config; returns names and files of the members that are others' scores."""
    for key, known in (("combine", (*COMBINATIONS, NONE)), ("on_missing", ("error", "skip"))):
        if config[key] not in known:
            raise ConfigError(f"{key}={config[key]!r} is not known: use {', '.join(known)}")
    pairs = [text.partition("=") for text in (config.scores or "").split(",") if text]
    if not all(name and path for name, _, path in pairs):
        raise ConfigError(f"scores={config.scores!r} must be NAME=FILE.csv,NAME=FILE.csv")
    if not config.members and not pairs:
        raise ConfigError("an ensemble needs members: configs, or --config.scores=NAME=FILE.csv")
    return [(name, path) for name, _, path in pairs]


def _members(config: Any) -> Iterator[tuple[str, Variants]]:
    """Each member's name, and where its variants are kept with their whole configs.

    Nothing gives variants one voice in a study: there each is a member.
    """
    for name, member in config.members.items():
        kinds = member.variants.items() if "variants" in member else [("", member)]
        variants = [(Path("members") / name / kind, whole_config(c, config)) for kind, c in kinds]
        if config.combine != NONE or "variants" not in member:
            yield name, variants
            continue
        for where, each in variants:
            yield f"{name}_{where.name}", [(where, each)]


def _run_members(
    config: Any, workdir: Path, started: float
) -> tuple[list[tuple[str, list[Path]]], list[tuple[str, str]]]:
    """Runs or finds all members.

    Returns:
        name and folders of each; and name and reason of those that are left out.

    Raises:
        Missing: what a member needs is not there, and it is not to be left out.
    """
    found, left_out = [], []
    for name, variants in _members(config):
        try:
            folders = [_run_member(each, workdir / where, started) for where, each in variants]
        except Missing as error:
            if config.on_missing == "error":
                raise
            left_out.append((name, str(error)))
            if is_main():
                print(f"{name} is left out: {error}", flush=True)
        else:
            found.append((name, folders))
    return found, left_out


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
    joined: Ensemble,
    members: list[Member],
    config: Any,
    workdir: Path,
    started: float,
    notes: list[str],
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
        config=(workdir / "config.json").read_text(),
        facts=facts(config, rows, started, notes),
        ensemble=joined,
    )
    return write_report(workdir / "report.html", report)
