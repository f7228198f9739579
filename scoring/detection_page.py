"""The page of one or more detectors: error rates by class, costs, and clips with their marks.

One HTML file that needs no other, as the report is; its figures are written beside it too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scoring import figures
from scoring.album import Album, Embedded
from scoring.classes import with_average
from scoring.costs import Cost, average, duration, fit_total
from scoring.detection import Detected, found
from scoring.detection_plots import LEFT, SHARE, MarkedClip, marked_figure, panel_box
from scoring.files import write_text
from scoring.metrics import AVERAGE
from scoring.pages import template
from scoring.plots import curve_figure
from scoring.summary import count
from scoring.tables import percent


@dataclass(frozen=True)
class System:
    """A detector's results.

    Attributes:
        results: class -> what came of it.
        thresholds: class -> what it marks events over.
        costs: of each class's model.
        curves: class -> rows of its training metrics.
    """

    results: Mapping[str, Detected]
    thresholds: Mapping[str, float]
    costs: Sequence[Cost] = ()
    curves: Mapping[str, Sequence[Mapping[str, object]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """What the page shows.

    Attributes:
        title: Its heading.
        systems: Detector -> its results, all on the same clips.
        clips: class -> clips to look at.
        config: The configuration as JSON text.
        facts: Name -> value, such as wall time, versions, data.
    """

    title: str
    systems: Mapping[str, System]
    clips: Mapping[str, Sequence[MarkedClip]]
    config: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Line:
    """A row of the table of results: (error rate, F1, whether each is the best) by class."""

    name: str
    cells: Sequence[tuple[float | None, float | None, bool, bool]]


@dataclass(frozen=True)
class Card:
    """A clip on the page: its picture, its sound, and what each detector made of it."""

    clip: MarkedClip
    picture: Embedded
    audio: str | None
    outcomes: Mapping[str, str]


def write_page(path: Path | str, page: Page) -> Path:
    """Writes the page and its figures, into `figures/` beside it, and returns the page's path."""
    path = Path(path)
    album = Album(path.parent / "figures")
    top, bottom = panel_box(1 + len(page.systems))
    text = template("detection.html.jinja", percent=percent, duration=duration).render(
        page=page,
        headline=headline(page.systems),
        classes=[*next(iter(page.systems.values())).results, AVERAGE],
        lines=lines(page.systems),
        prices=[(n, average(s.costs), fit_total(s.costs)) for n, s in page.systems.items()],
        curves=_curves(album, page.systems),
        cards=[
            (name, [_card(album, name, c) for c in clips]) for name, clips in page.clips.items()
        ],
        box={"left": LEFT, "width": SHARE, "top": top, "bottom": 1 - bottom},
    )
    return write_text(path, text)


def headline(systems: Mapping[str, System]) -> str:
    """What was listened for and how well it was heard, in words."""
    results = next(iter(systems.values())).results
    events = sum(each.num_events for each in results.values())
    said = f"{count(len(systems), 'detector')} listened for {', '.join(results)}: {events} events."
    rates = {name: _averages(system)[0] for name, system in systems.items()}
    known = {name: rate for name, rate in rates.items() if rate is not None}
    if not known:
        return said
    best = min(known, key=lambda name: known[name])
    how = f" {best} has the lowest" if len(known) > 1 else " The"
    f1 = percent(_averages(systems[best])[1])
    return f"{said}{how} error rate: {percent(known[best])}%, F1 {f1}%."


def _averages(system: System) -> list[float | None]:
    rows = {name: (each.error_rate, each.f1) for name, each in system.results.items()}
    return with_average(rows)[AVERAGE]


def lines(systems: Mapping[str, System]) -> list[Line]:
    """A row a system, a column a class and the average, the best of each column marked."""
    rows = {
        name: [*((r.error_rate, r.f1) for r in system.results.values()), tuple(_averages(system))]
        for name, system in systems.items()
    }
    columns = list(zip(*rows.values(), strict=True))
    lowest = [min((er for er, _ in column if er is not None), default=None) for column in columns]
    highest = [max((f1 for _, f1 in column if f1 is not None), default=None) for column in columns]
    many = len(systems) > 1
    return [
        Line(
            name,
            [
                (er, f1, many and er == low, many and f1 == high)
                for (er, f1), low, high in zip(cells, lowest, highest, strict=True)
            ],
        )
        for name, cells in rows.items()
    ]


def _curves(album: Album, systems: Mapping[str, System]) -> list[tuple[str, Embedded]]:
    drawn = []
    for system, each in systems.items():
        for name, rows in each.curves.items():
            figure = curve_figure(rows)
            if figure is not None:
                alt = f"Training losses of {system} on {name}"
                chart = album.chart(figure, f"curve_{system}_{name}", alt)
                drawn.append((f"{system}: {name}", chart))
    return drawn


def _card(album: Album, name: str, clip: MarkedClip) -> Card:
    outcomes = {
        system: found(clip.truth, [(onset, offset) for onset, offset, _ in lane.marks])
        for system, lane in clip.lanes.items()
    }
    where = f"event at {clip.truth[0]:.1f} s" if clip.truth else "no event"
    said = ", ".join(f"{system}: {outcome}" for system, outcome in outcomes.items())
    alt = f"Spectrogram of {clip.name}: {where}; {said}"
    picture = album.image(marked_figure(clip), f"clip_{name}_{Path(clip.name).stem}", alt)
    audio = figures.data_uri(clip.audio, "audio/wav") if clip.audio else None
    return Card(clip, picture, audio, outcomes)
