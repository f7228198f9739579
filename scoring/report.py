"""The report: one HTML file that needs no server, no network and no other file.

Figures are embedded as `data:` addresses and written beside it in `figures/` too, for those who
want one on a slide. The page itself is `report.html.jinja`; what it says in words, `summary.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scoring import ensemble_section, figures, maps, plots, summary
from scoring.album import Album, Embedded, Picture
from scoring.ensemble import Ensemble
from scoring.files import write_text
from scoring.maps import StrangeClip
from scoring.metrics import evaluate
from scoring.pages import template
from scoring.rows import ScoreRow
from scoring.threshold import Ranked, decide, fit_units, rank_clips

__all__ = ["Ensemble", "Picture", "Report", "StrangeClip", "write_report"]

_RANKING_LENGTH = 100


@dataclass(frozen=True)
class Report:
    """Everything the page shows.

    Attributes:
        title: Its heading.
        rows: All scored clips, train and test.
        curves: machine -> rows of its training metrics (`step`, perhaps `epoch`, losses).
        strange_clips: The clips to show in time and frequency; any order.
        config: The configuration as JSON text.
        facts: Name -> value, such as wall time, peak memory, versions, data.
        skipped: (clip, reason) of clips left out.
        ensemble: Where the rows are an ensemble's: its members, to show side by side.
        pictures: Shown as they are, such as what each augmentation does to a clip.
        pictures_title: The heading of their section.
    """

    title: str
    rows: Sequence[ScoreRow]
    curves: Mapping[str, Sequence[Mapping[str, object]]] = field(default_factory=dict)
    strange_clips: Sequence[StrangeClip] = ()
    config: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    skipped: Sequence[tuple[str, str]] = ()
    ensemble: Ensemble | None = None
    pictures: Sequence[Picture] = ()
    pictures_title: str = "Pictures"


@dataclass(frozen=True)
class Card:
    """One strange clip on the page."""

    clip: StrangeClip
    ranked: Ranked
    of: int
    picture: Embedded
    spot: str
    audio: str | None


def write_report(path: Path | str, report: Report) -> Path:
    """Writes the page and its figures, and returns the page's path.

    Args:
        path: Where the page goes, `report.html`; figures go into `figures/` beside it.
        report: What to show. Without test labels it ranks clips instead of judging the model.

    Raises:
        ValueError: No rows; a unit without train clips; a strange clip that was not scored.
    """
    path = Path(path)
    if not report.rows:
        raise ValueError(f"{path}: no scored clips to report; score some first")
    fits = fit_units(report.rows)
    decisions = decide(report.rows, fits)
    results = evaluate(report.rows)
    ranking = rank_clips(report.rows, fits)
    clips = [clip for machine in ranking.values() for clip in machine]
    judged = {(r.machine, r.id) for r in results if r.auc is not None}
    unjudged = sorted((c for c in clips if c.row.unit not in judged), key=lambda c: (c.p, c.rank))
    thresholds = {(d.machine, d.id): d.threshold for d in decisions}
    album = Album(path.parent / "figures")
    page = template(
        "report.html.jinja",
        percent=summary.percent,
        p=summary.p_text,
        rarity=summary.rarity,
        sig=_significant,
    ).render(
        report=report,
        headline=summary.headline(report.rows),
        verdict=summary.verdict(results),
        alarms=summary.alarms(clips),
        tiles=summary.tiles(results, clips) if clips else [],
        lines=summary.result_lines(results, decisions) if judged else [],
        ranking=unjudged[:_RANKING_LENGTH],
        ranking_length=len(unjudged),
        scores=list(_score_pictures(album, report.rows, thresholds)),
        rocs=list(_roc_pictures(album, report.rows)),
        curves=list(_curve_pictures(album, report.curves)),
        ensemble=report.ensemble and ensemble_section.build(album, report.ensemble),
        pictures=list(_pictures(album, report.pictures)),
        strange=_cards(album, report.strange_clips, ranking),
        panels=maps,
    )
    return write_text(path, page)


def _significant(value: float | None) -> str:
    """A score in about four digits, with a true minus sign."""
    if value is None:
        return "\N{EN DASH}"
    text = f"{value:,.1f}" if abs(value) >= 100 else f"{value:#.4g}"
    return text.replace("-", "\N{MINUS SIGN}")


def _machines(rows: Sequence[ScoreRow]) -> Iterator[tuple[str, list[ScoreRow]]]:
    """Each machine type with its rows, sorted."""
    for machine in sorted({row.machine for row in rows}):
        yield machine, [row for row in rows if row.machine == machine]


def _score_pictures(
    album: Album, rows: Sequence[ScoreRow], thresholds: Mapping[tuple[str, str], float]
) -> Iterator[tuple[str, Embedded]]:
    for machine, clips in _machines(rows):
        of_ids = {unit[1]: value for unit, value in thresholds.items() if unit[0] == machine}
        figure = plots.score_figure(clips, of_ids)
        alt = f"Histograms of the scores of {machine}, per id, with decision thresholds"
        yield machine, album.chart(figure, f"scores_{machine}", alt)


def _roc_pictures(album: Album, rows: Sequence[ScoreRow]) -> Iterator[tuple[str, Embedded]]:
    for machine, clips in _machines(rows):
        figure = plots.roc_figure(clips)
        if figure is not None:
            yield machine, album.chart(figure, f"roc_{machine}", f"ROC curves of {machine}, per id")


def _curve_pictures(
    album: Album, curves: Mapping[str, Sequence[Mapping[str, object]]]
) -> Iterator[tuple[str, Embedded]]:
    for machine, metrics in sorted(curves.items()):
        figure = plots.curve_figure(metrics)
        if figure is not None:
            yield machine, album.chart(figure, f"curves_{machine}", f"Training losses of {machine}")


def _pictures(album: Album, pictures: Sequence[Picture]) -> Iterator[tuple[Picture, Embedded]]:
    for i, picture in enumerate(pictures, 1):
        alt = f"{picture.title}: {picture.caption}"
        yield picture, album.image(picture.image, f"picture_{i:02d}_{picture.title}", alt)


def _cards(
    album: Album, clips: Sequence[StrangeClip], ranking: Mapping[str, Sequence[Ranked]]
) -> list[tuple[str, list[Card]]]:
    """Machine by machine, strangest first; colour limits shared within a machine."""
    places = {r.row: (r, len(machine)) for machine in ranking.values() for r in machine}
    for clip in clips:
        if clip.row not in places:
            raise ValueError(f"strange clip {clip.row.name!r} is not among the scored test clips")
    pages = []
    for machine in ranking:
        members = [clip for clip in clips if clip.row.machine == machine]
        members.sort(key=lambda clip: places[clip.row][0].rank)
        if members:
            limits = maps.shared_limits(members)
            cards = [_card(album, clip, *places[clip.row], limits) for clip in members]
            pages.append((machine, cards))
    return pages


def _card(album: Album, clip: StrangeClip, ranked: Ranked, of: int, limits: maps.Limits) -> Card:
    """One clip with its figure and its place."""
    row = clip.row
    spot = maps.strangest_spot(clip)
    where = f"{spot[0]:.1f} s, near {figures.hertz(spot[1])}" if spot else "nowhere scored"
    alt = f"Spectrogram and anomaly map of {row.name}; most surprising at {where}"
    picture = album.image(
        maps.clip_figure(clip, limits), f"strange_{row.machine}_{ranked.rank:03d}", alt
    )
    audio = figures.data_uri(clip.audio, clip.audio_type) if clip.audio else None
    return Card(clip, ranked, of, picture, where, audio)
