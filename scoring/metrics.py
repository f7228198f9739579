"""AUC and pAUC, as the DCASE 2020 Task 2 evaluator computes them.

For each id: `roc_auc_score(labels, scores)` and the same with `max_fpr=0.1`, which is the partial
area under the curve up to a false-alarm rate of 0.1, rescaled by McClish so that chance is 0.5
and perfection 1. Then the plain mean over a machine's ids, then over machines, so that a machine
with many ids or clips counts no more than another.

Source: Koizumi et al., "Description and Discussion on DCASE2020 Challenge Task2", section 4;
McClish, "Analyzing a portion of the ROC curve", 1989.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import roc_auc_score, roc_curve

from scoring.rows import ScoreRow, by_unit, labelled

MAX_FPR = 0.1
AVERAGE = "average"


@dataclass(frozen=True)
class Result:
    """How well one machine's anomalies are told from its normal clips.

    Attributes:
        machine: Machine type, or `average` over all.
        id: Machine id, or `average` over the machine's ids.
        auc: Area under the ROC curve in [0, 1]; None where labels of one class are missing.
        pauc: Partial area up to a false-alarm rate of 0.1, McClish-scaled; None likewise.
    """

    machine: str
    id: str
    auc: float | None
    pauc: float | None


def auc(labels: np.ndarray, scores: np.ndarray, max_fpr: float | None = None) -> float | None:
    """Area under the ROC curve, or None unless both classes are present.

    Args:
        labels: (n,) 0 normal, 1 anomaly.
        scores: (n,) higher is stranger; ties count half.
        max_fpr: Only the curve up to this false-alarm rate, rescaled; None for all of it.
    """
    if len(np.unique(labels)) < 2:
        return None
    return float(roc_auc_score(labels, scores, max_fpr=max_fpr))


def roc(labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """False-alarm and detection rates, each (k,) from 0 to 1, or None unless both classes are.

    Args:
        labels: (n,) 0 normal, 1 anomaly.
        scores: (n,) higher is stranger.
    """
    if len(np.unique(labels)) < 2:
        return None
    false_alarms, detections, _ = roc_curve(labels, scores)
    return false_alarms, detections


def evaluate(rows: Iterable[ScoreRow]) -> list[Result]:
    """AUC and pAUC of every unit that has test clips, sorted by machine and id.

    Only test rows with a label count. A unit whose labels are of one class gives None, not an
    error: evaluation data carries no labels at all.
    """
    results = []
    for (machine, id_), test in by_unit(rows, split="test").items():
        labels, scores = labelled(test)
        results.append(Result(machine, id_, auc(labels, scores), auc(labels, scores, MAX_FPR)))
    return results


def with_averages(results: Sequence[Result]) -> list[Result]:
    """Adds a row `machine, average` after each machine's ids and a last `average, average`.

    Ids without a result are left out of the means; a machine without any is left out of the last.
    """
    table, machine_means = [], []
    for machine in dict.fromkeys(result.machine for result in results):
        ids = [result for result in results if result.machine == machine]
        machine_means.append(_average(machine, ids))
        table.extend((*ids, machine_means[-1]))
    return [*table, _average(AVERAGE, machine_means)]


def _average(machine: str, results: Sequence[Result]) -> Result:
    """The mean of some results as a row of its own."""
    aucs = [result.auc for result in results if result.auc is not None]
    paucs = [result.pauc for result in results if result.pauc is not None]
    return Result(
        machine,
        AVERAGE,
        float(np.mean(aucs)) if aucs else None,
        float(np.mean(paucs)) if paucs else None,
    )
