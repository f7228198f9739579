"""A study reported: members side by side, none joined, with what each cost."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments.experiment import facts
from scoring.comparison import format_comparison, write_comparison
from scoring.costs import read_costs
from scoring.members import read_member
from scoring.study import format_study, study, write_study
from scoring.study_page import Page, write_page
from scoring.summary import count


def report_study(
    found: Sequence[tuple[str, Path]],
    foreign: Sequence[tuple[str, str]],
    left_out: Sequence[tuple[str, str]],
    config: Any,
    workdir: Path,
    started: float,
) -> Path:
    """Writes a study's tables and its report.

    There is no `scores.csv` and no `results.csv`: they would be those of one detector.

    Args:
        found: name and work directory of each member that was run or found; it has its costs.
        foreign: name and `scores.csv` of others' members, whose costs are not known.
        left_out: name and reason of members that could not be run.
        config: of the study.
        workdir: where its files go.
        started: when the command was started, by `time.monotonic`.

    Raises:
        EnsembleError: the members do not score the same clips.
    """
    members = [read_member(name, folder / "scores.csv") for name, folder in found]
    members += [read_member(name, path) for name, path in foreign]
    costs = {name: read_costs(folder / "costs.csv") for name, folder in found}
    compared = study(members, costs, left_out)
    results = compared.results
    write_comparison(workdir / "comparison.csv", results)
    write_study(workdir / "study.csv", compared)
    print(f"{format_comparison(results)}\n\n{format_study(compared)}")
    page = Page(
        title=f"{workdir.name}: {count(len(compared.systems), 'system')} side by side",
        study=compared,
        config=(workdir / "config.json").read_text(),
        facts=facts(config, list(members[0].variants[0]), started),
    )
    return write_page(workdir / "report.html", page)
