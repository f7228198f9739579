"""Tri-training's page: its systems side by side, what they were taught, and clips to listen to.

One HTML file that needs no other, as the report is; its figure is written beside it too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from scoring import figures
from scoring.album import Album
from scoring.classes import with_average
from scoring.files import write_text
from scoring.metrics import AVERAGE
from scoring.pages import template
from scoring.summary import count
from scoring.tables import percent
from scoring.tritraining import (
    BASELINE,
    MEMBERS,
    SYSTEMS,
    Answers,
    PseudoLabel,
    accuracies,
    averages,
    error_rates,
    reduction,
    rightness,
)
from scoring.tritraining_plots import COLOURS, rates_figure


@dataclass(frozen=True)
class Clip:
    """A test clip to listen to.

    Attributes:
        name: of its file.
        truth: its class.
        said: system -> the class it heard, and with what probability.
        audio: a wav file's bytes; None where there is no sound.
    """

    name: str
    truth: str
    said: Mapping[str, tuple[str, float]]
    audio: bytes | None = None


@dataclass(frozen=True)
class Page:
    """What the page shows.

    Attributes:
        title: Its heading.
        answers: What was said of the test clips.
        labels: What models were taught with.
        num_labelled, num_unlabelled: Clips of both kinds in a fold, on average.
        clips: Some that the pool got right and supervised learning wrong.
        config: The configuration as JSON text.
        facts: Name -> value, such as wall time, versions, data.
        skipped: (clip, reason) of clips left out.
    """

    title: str
    answers: Answers
    labels: Sequence[PseudoLabel]
    num_labelled: float
    num_unlabelled: float
    clips: Sequence[Clip] = ()
    config: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    skipped: Sequence[tuple[str, str]] = ()


class Row(NamedTuple):
    """A class's rates, and which are the lowest."""

    name: str
    cells: Sequence[tuple[float | None, bool]]


class Stage(NamedTuple):
    """Models of one kind on average: error rate and accuracy."""

    name: str
    rate: float | None
    accuracy: float


class Lesson(NamedTuple):
    """What a model was taught in a fold on average: how many labels, and how many were right."""

    name: str
    given: float
    right: float | None


def write_page(path: Path | str, page: Page) -> Path:
    """Writes the page and its figure, into `figures/` beside it, and returns the page's path."""
    path, answers = Path(path), page.answers
    folds = sorted(set(answers.folds.tolist()))
    rates = with_average(error_rates(answers))
    per_fold = [with_average(error_rates(answers.part(fold))) for fold in folds]
    alt = "Equal error rates by class and system: " + "; ".join(
        f"{name} {percent(rate)}%" for name, rate in averages(answers).items()
    )
    album = Album(path.parent / "figures")
    text = template("tritraining.html.jinja", percent=percent, spoken=spoken).render(
        page=page,
        headline=headline(page, len(folds)),
        verdict=verdict(answers),
        systems=SYSTEMS,
        average=AVERAGE,
        colours={name: (colour, figures.on_dark(colour)) for name, colour in COLOURS.items()},
        tiles=[(name, averages(answers)[name], saved(answers, name)) for name in SYSTEMS],
        baseline=BASELINE,
        rows=[Row(name, _marked(values)) for name, values in rates.items()],
        accuracies=accuracies(answers),
        figure=album.chart(rates_figure(rates, per_fold), "error_rates", alt),
        stages=stages(answers),
        lessons=lessons(page.labels, len(folds)),
        num_unlabelled=page.num_unlabelled,
        clips=[(clip, _playable(clip)) for clip in page.clips],
    )
    return write_text(path, text)


def spoken(name: str) -> str:
    """A system's name in words."""
    return name.replace("_", "-") if name == BASELINE else name.replace("_", " ")


def saved(answers: Answers, system: str) -> float | None:
    """By which share a system's average error rate is lower than self-training's."""
    rates = averages(answers)
    return reduction(rates[system], rates[BASELINE])


def headline(page: Page, num_folds: int) -> str:
    """What was learned from what, in a sentence."""
    return (
        f"{count(len(page.answers.classes), 'class', 'classes')} of sounds, learned from "
        f"{page.num_labelled:.0f} labelled and {page.num_unlabelled:.0f} unlabelled clips, and "
        f"tested on {count(len(page.answers.labels), 'clip')} that nobody had heard, "
        f"in {count(num_folds, 'fold')}."
    )


def verdict(answers: Answers) -> str:
    """The averages in a sentence, and how they compare with self-training."""
    rates = averages(answers)
    said = ", ".join(f"{spoken(name)} {percent(rate)}%" for name, rate in rates.items())
    changes = [f"the {name}'s {_change(saved(answers, name))}" for name in ("pool", "student")]
    return (
        f"Equal error rate, averaged over classes: {said}. Against self-training, "
        f"{' and '.join(changes)}."
    )


def _change(share: float | None) -> str:
    if share is None:
        return "cannot be compared"
    return f"is {percent(abs(share))}% {'lower' if share >= 0 else 'higher'}"


def stages(answers: Answers) -> list[Stage]:
    """Every kind of model: the three of tri-training on average, before and after."""
    kinds = {
        "supervised": ["supervised"],
        BASELINE: [BASELINE],
        "initial, one of three": [f"initial_{i + 1}" for i in range(MEMBERS)],
        "retrained, one of three": [f"retrained_{i + 1}" for i in range(MEMBERS)],
        "pool": ["pool"],
        "student": ["student"],
    }
    found = []
    for name, systems in kinds.items():
        rates = [rate for rate in averages(answers, systems).values() if rate is not None]
        right = list(accuracies(answers, systems).values())
        mean = sum(rates) / len(rates) if rates else None
        found.append(Stage(name, mean, sum(right) / len(right)))
    return found


def lessons(labels: Sequence[PseudoLabel], num_folds: int) -> list[Lesson]:
    """What self-training and the three models were given."""
    known = rightness(labels)
    names = [BASELINE, *(f"retrained_{i + 1}" for i in range(MEMBERS))]
    each = [(name, *known.get(name, (0, 0))) for name in names]
    return [
        Lesson(name, num / num_folds, right / num if num else None) for name, num, right in each
    ]


def _marked(values: Sequence[float | None]) -> list[tuple[float | None, bool]]:
    """Values, and whether each is the lowest."""
    known = [value for value in values if value is not None]
    return [(value, value is not None and value == min(known)) for value in values]


def _playable(clip: Clip) -> str | None:
    return figures.data_uri(clip.audio, "audio/wav") if clip.audio else None
