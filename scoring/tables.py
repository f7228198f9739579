"""The CSV files of a work directory, and the table a terminal shows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from scoring.files import write_text
from scoring.metrics import AVERAGE, Result, evaluate, with_averages
from scoring.rows import ScoreRow, by_unit, write_scores
from scoring.threshold import Decision, decide, fit_units


def write_tables(workdir: Path | str, rows: Sequence[ScoreRow]) -> list[Result]:
    """Scores, submissions, decisions, results and thresholds, from one list of scored clips.

    Files: `scores.csv`; per unit with test clips `anomaly_score_<machine>_id_<id>.csv` (name,
    score) and `decision_result_<machine>_id_<id>.csv` (name, 0 or 1), without headers, as DCASE
    asks for them; `thresholds.csv`; `results.csv` last, so that whoever finds it finds all.

    Args:
        workdir: Made when it is missing.
        rows: All scored clips, train and test.

    Returns:
        The rows of `results.csv`, averages included.

    Raises:
        ValueError: A unit has test clips but no train clips; nothing is written then.
    """
    workdir = Path(workdir)
    decisions = decide(rows, fit_units(rows))
    results = with_averages(evaluate(rows))
    write_scores(workdir / "scores.csv", rows)
    _write_submissions(workdir, rows, decisions)
    write_csv(
        workdir / "thresholds.csv",
        ("machine", "id", "threshold", "precision", "recall", "f1"),
        ((d.machine, d.id, d.threshold, d.precision, d.recall, d.f1) for d in decisions),
    )
    write_csv(
        workdir / "results.csv",
        ("machine", "id", "auc", "pauc"),
        ((r.machine, r.id, r.auc, r.pauc) for r in results),
    )
    return results


def _write_submissions(
    workdir: Path, rows: Sequence[ScoreRow], decisions: Sequence[Decision]
) -> None:
    """The two DCASE files of every unit with test clips."""
    thresholds = {(d.machine, d.id): d.threshold for d in decisions}
    for unit, test in by_unit(rows, split="test").items():
        stem = f"{unit[0]}_id_{unit[1]}.csv"
        write_csv(workdir / f"anomaly_score_{stem}", None, ((r.name, r.score) for r in test))
        write_csv(
            workdir / f"decision_result_{stem}",
            None,
            ((r.name, int(r.score > thresholds[unit])) for r in test),
        )


def write_csv(path: Path, header: Sequence[str] | None, lines: Iterable[Sequence[object]]) -> Path:
    """A CSV file; None is an empty cell, floats keep every digit."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if header is not None:
        writer.writerow(header)
    for line in lines:
        writer.writerow([repr(float(cell)) if isinstance(cell, float) else cell for cell in line])
    return write_text(path, text.getvalue())


def percent(value: float | None) -> str:
    """A fraction as a percentage with one decimal, or a dash where there is none."""
    return "\N{EN DASH}" if value is None else f"{100 * value:.1f}"


def format_results(results: Sequence[Result]) -> str:
    """The results as an aligned text table, in percent, for the terminal.

    Args:
        results: As `write_tables` returns them, or one row per id: averages are added.
    """
    if not any(result.id == AVERAGE for result in results):
        results = with_averages(results)
    cells = [("machine", "id", "AUC %", "pAUC %")]
    cells += [(r.machine, r.id, percent(r.auc), percent(r.pauc)) for r in results]
    widths = [max(len(row[i]) for row in cells) for i in range(4)]
    rule = "─" * (sum(widths) + 6)
    lines = []
    for machine, id_, auc, pauc in cells:
        left = f"{machine:<{widths[0]}}  {id_:<{widths[1]}}"
        line = f"{left}  {auc:>{widths[2]}}  {pauc:>{widths[3]}}"
        # The header, and each average, close a block of ids.
        lines += [line, rule] if id_ in ("id", AVERAGE) and machine != AVERAGE else [line]
    return "\n".join(lines)
