"""Several detectors side by side: each trained on the same mixtures, all on one page."""

import time
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict

from experiments import detection_report
from experiments import workdir as work
from experiments.detection import Detection, detect, results_of
from experiments.errors import ConfigError
from experiments.processes import is_main
from scoring.classes import format_rows, with_average
from scoring.metrics import AVERAGE
from scoring.tables import write_csv

SHARED = ("seed", "data", "mixtures", "report")


def run(config: Any, workdir: Path, started: float) -> Path | None:
    """Runs every member in `members/` of the work directory, and puts them on one page.

    Args:
        config: as `configs/detectors.py` makes it.
        workdir: where all files go.
        started: when the command was started, by `time.monotonic`.

    Returns:
        The page, or None on all processes but the main one.

    Raises:
        ConfigError, DataError: what a user can mend.
    """
    work.check(workdir, config)
    wholes = {name: whole(member, config) for name, member in config.members.items()}
    if not wholes:
        raise ConfigError("config.members is empty: name one detector or more")
    if is_main():
        work.claim(workdir, config)
    detections = [detect(each, workdir / "members" / name) for name, each in wholes.items()]
    if not is_main():
        return None
    _write(workdir, detections)
    return detection_report.write(detections, config, workdir, time.monotonic() - started)


def whole(member: Any, config: Any) -> Any:
    """A member's config with the sections that all share."""
    return ConfigDict({**member.to_dict(), **{key: config[key] for key in SHARED}})


def _write(workdir: Path, detections: list[Detection]) -> None:
    """Writes `results.csv`, a line for each detector and class, and prints the averages."""
    rows = {each.name: with_average(results_of(each)) for each in detections}
    lines = [
        (name, of_class, *values)
        for name, results in rows.items()
        for of_class, values in results.items()
    ]
    write_csv(workdir / "results.csv", ("detector", "class", "error_rate", "f1"), lines)
    averages = {name: results[AVERAGE] for name, results in rows.items()}
    print(format_rows("detector", ("error rate %", "F1 %"), averages))
