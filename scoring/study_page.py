"""A study's page: systems side by side in tables, over one another in ROC curves, and their costs.

One HTML file that needs no other, as the report is; its figures are written beside it too. Systems
may be many: so they are rows, and ids columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scoring.album import Album, Embedded
from scoring.costs import Cost, duration, fit_total
from scoring.ensemble_section import Cell, cells
from scoring.files import write_text
from scoring.metrics import AVERAGE, Result, auc, roc
from scoring.pages import template
from scoring.rows import Unit, by_unit, labelled
from scoring.study import Study
from scoring.study_plots import Stroke, roc_figure, strokes
from scoring.summary import count
from scoring.tables import percent


@dataclass(frozen=True)
class Page:
    """What the page shows.

    Attributes:
        title: Its heading.
        study: The systems.
        config: The configuration as JSON text.
        facts: Name -> value, such as wall time, versions, data.
    """

    title: str
    study: Study
    config: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """AUC and pAUC: a row for each system, the best of each column marked.

    Attributes:
        columns: Their heads; the last is the average.
        rows: (system, cells).
    """

    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Cell]]]


@dataclass(frozen=True)
class MachinePart:
    """What is shown of a machine: its table, a column an id, and (id, ROC curves)."""

    name: str
    table: Table
    rocs: Sequence[tuple[str, Embedded]]


@dataclass(frozen=True)
class Price:
    """What a system costs: the mean of its models, and the time in which all were fitted."""

    name: str
    mean: Cost | None
    total: float | None


def write_page(path: Path | str, page: Page) -> Path:
    """Writes the page and its figures, into `figures/` beside it, and returns the page's path."""
    path, compared = Path(path), page.study
    results, drawn = compared.results, strokes(list(compared.systems))
    machines = list(_machines(Album(path.parent / "figures"), compared, results, drawn))
    text = template("study.html.jinja", percent=percent, duration=duration).render(
        page=page,
        headline=headline(compared),
        verdict=verdict(results),
        overall=_overall(results) if len(machines) > 1 else None,
        machines=machines,
        prices=_prices(compared),
        num_machines=len({r.machine for r in _units(results)}),
        strokes=drawn,
    )
    return write_text(path, text)


def headline(compared: Study) -> str:
    """What was compared on what, in a sentence; and what could not be."""
    rows = next(iter(compared.systems.values()))
    kinds = sorted({row.machine for row in rows})
    text = (
        f"{count(len(compared.systems), 'system')} heard the same {count(len(rows), 'test clip')} "
        f"of {count(len({row.unit for row in rows}), 'machine')} "
        f"({kinds[0] if len(kinds) == 1 else f'{len(kinds)} machine types'}), each by itself."
    )
    if compared.left_out:
        names = ", ".join(name for name, _ in compared.left_out)
        text += f" Left out: {names}; the reasons are below."
    return text


def verdict(results: Mapping[str, Sequence[Result]]) -> str:
    """Which system hears best on average."""
    overall = {name: of_one[-1] for name, of_one in results.items()}
    top = max(overall, key=lambda name: overall[name].auc or 0)
    best = overall[top]
    if best.auc is None:
        return (
            "Test clips are not labelled both normal and anomalous, so there is no telling which "
            "hears best."
        )
    # Of one alone there is nothing to say but how well it hears.
    how = f"{top} hears best: " if len(results) > 1 else ""
    return (
        f"Averaged over machines, {how}AUC {percent(best.auc)}% (50 is chance), "
        f"pAUC {percent(best.pauc)}%."
    )


def _units(results: Mapping[str, Sequence[Result]]) -> list[Result]:
    """The machines and ids that all were judged on."""
    return [r for r in next(iter(results.values())) if r.id != AVERAGE]


def _table(columns: Sequence[str], results: Mapping[str, Sequence[Result]]) -> Table:
    """Each system's results, as many as there are columns."""
    down = [cells(column) for column in zip(*results.values(), strict=True)]
    return Table(columns, list(zip(results, zip(*down, strict=True), strict=True)))


def _overall(results: Mapping[str, Sequence[Result]]) -> Table:
    """Machines' averages, and the average of those."""
    averages = {name: [r for r in of_one if r.id == AVERAGE] for name, of_one in results.items()}
    return _table([r.machine for r in next(iter(averages.values()))], averages)


def _machines(
    album: Album,
    compared: Study,
    results: Mapping[str, Sequence[Result]],
    drawn: Mapping[str, Stroke],
) -> Iterator[MachinePart]:
    """The machines of which something is known."""
    rocs = dict(_rocs(album, compared, drawn))
    for machine in dict.fromkeys(r.machine for r in _units(results)):
        own = {
            name: [r for r in of_one if r.machine == machine] for name, of_one in results.items()
        }
        ids = [r.id for r in _units(own)]
        panels = [(f"id {id_}", rocs[machine, id_]) for id_ in ids if (machine, id_) in rocs]
        if panels:
            heads = [*(f"id {id_}" for id_ in ids), AVERAGE]
            yield MachinePart(machine, _table(heads, own), panels)


def _rocs(
    album: Album, compared: Study, drawn: Mapping[str, Stroke]
) -> Iterator[tuple[Unit, Embedded]]:
    """The ROC curves of every machine and id with both labels."""
    by_system = {name: by_unit(rows) for name, rows in compared.systems.items()}
    for unit in next(iter(by_system.values())):
        clips = {name: labelled(units[unit]) for name, units in by_system.items()}
        curves = {name: points for name, each in clips.items() if (points := roc(*each))}
        if curves:
            areas = ", ".join(f"{name} {percent(auc(*each))}" for name, each in clips.items())
            alt = f"ROC curves of {unit[0]} id {unit[1]}; AUC in percent: {areas}"
            figure = roc_figure(curves, drawn)
            yield unit, album.chart(figure, f"roc_{unit[0]}_id_{unit[1]}", alt)


def _prices(compared: Study) -> list[Price]:
    """Each system's costs; nothing where no system's are known."""
    if not any(compared.costs.values()):
        return []
    return [
        Price(name, compared.cost(name, AVERAGE), fit_total(compared.costs.get(name, ())))
        for name in compared.systems
    ]
