"""Tri-training judged: equal error rates of its systems, and how right its pseudo-labels were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from scoring.classes import ClassResults, with_average, write_classes
from scoring.eer import equal_error_rate
from scoring.metrics import AVERAGE
from scoring.tables import write_csv

# What is compared: the labelled clips alone, one model that teaches itself, and tri-training's.
SYSTEMS = ("supervised", "self_training", "pool", "student")
BASELINE = "self_training"
MEMBERS = 3


@dataclass(frozen=True)
class Answers:
    """What systems say of the test clips of all folds, end to end.

    Attributes:
        classes: their names.
        folds: (clips,) which fold tested each.
        names: (clips,) of the clips.
        labels: (clips,) the class of each, an index.
        probs: system -> (clips, classes) probabilities; the three models before and after they
            were taught are among them.
    """

    classes: Sequence[str]
    folds: np.ndarray
    names: Sequence[str]
    labels: np.ndarray
    probs: Mapping[str, np.ndarray]

    def part(self, fold: int) -> Answers:
        """The clips of one fold."""
        (which,) = np.nonzero(self.folds == fold)
        names = [self.names[i] for i in which.tolist()]
        probs = {system: each[which] for system, each in self.probs.items()}
        return Answers(self.classes, self.folds[which], names, self.labels[which], probs)


class PseudoLabel(NamedTuple):
    """A label that a model was taught with, and the true one where it is known."""

    fold: int
    model: str
    clip: str
    label: str
    truth: str | None


def error_rates(answers: Answers, systems: Sequence[str] = SYSTEMS) -> ClassResults:
    """Each class's equal error rate against all others, of each system: class -> rates.

    Clips of all folds are ranked together by the probability of the class, each by the models that
    have not heard it: a rate of eight clips in a fold would move in steps of an eighth.
    """
    return {
        name: [
            equal_error_rate((answers.labels == k).astype(int), answers.probs[system][:, k])
            for system in systems
        ]
        for k, name in enumerate(answers.classes)
    }


def averages(answers: Answers, systems: Sequence[str] = SYSTEMS) -> dict[str, float | None]:
    """Each system's equal error rate, averaged over classes."""
    last = with_average(error_rates(answers, systems))[AVERAGE]
    return dict(zip(systems, last, strict=True))


def accuracies(answers: Answers, systems: Sequence[str] = SYSTEMS) -> dict[str, float]:
    """How often each system's likeliest class is the true one."""
    return {
        system: float((answers.probs[system].argmax(1) == answers.labels).mean())
        for system in systems
    }


def reduction(rate: float | None, baseline: float | None) -> float | None:
    """By which share of the baseline a rate is lower; None where there is nothing to lower."""
    return None if rate is None or not baseline else 1 - rate / baseline


def rightness(labels: Sequence[PseudoLabel]) -> dict[str, tuple[int, int]]:
    """Model -> how many pseudo-labels it was given over all folds, and how many were right."""
    given = {label.model: [0, 0] for label in labels}
    for label in labels:
        given[label.model][0] += 1
        given[label.model][1] += label.label == label.truth
    return {model: (num, right) for model, (num, right) in given.items()}


def write_tritraining(
    workdir: Path, answers: Answers, labels: Sequence[PseudoLabel], system: str
) -> ClassResults:
    """Writes `predictions.csv`, `pseudo_labels.csv`, `comparison.csv`, and last `results.csv`.

    Args:
        workdir: where they go.
        answers: what was said of test clips.
        labels: what models were taught with.
        system: whose results are `results.csv`.

    Returns:
        class -> the rate of each of `SYSTEMS`.
    """
    header = ("fold", "clip", "class", "system", "predicted", *answers.classes)
    write_csv(workdir / "predictions.csv", header, _predictions(answers))
    write_csv(workdir / "pseudo_labels.csv", PseudoLabel._fields, labels)
    rates = error_rates(answers)
    write_classes(workdir / "comparison.csv", SYSTEMS, rates)
    of_one = {name: [row[SYSTEMS.index(system)]] for name, row in rates.items()}
    write_classes(workdir / "results.csv", ("eer",), of_one)
    return rates


def _predictions(answers: Answers) -> list[tuple[object, ...]]:
    clips = list(zip(answers.folds.tolist(), answers.names, answers.labels, strict=True))
    return [
        (fold, name, answers.classes[label], system, answers.classes[each.argmax()], *each.tolist())
        for system, probs in answers.probs.items()
        for (fold, name, label), each in zip(clips, probs, strict=True)
    ]
