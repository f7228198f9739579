"""AUC and pAUC: scikit-learn's numbers, and some worked by hand."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from scoring.metrics import Result, auc, evaluate, roc, with_averages
from scoring.rows import ScoreRow


def rows_of(machine: str, id_: str, labels, scores, split: str = "test") -> list[ScoreRow]:
    return [
        ScoreRow(machine, id_, split, f"{split}{i}.wav", label, float(score))
        for i, (label, score) in enumerate(zip(labels, scores, strict=True))
    ]


@pytest.mark.parametrize("seed", range(5))
def test_equals_scikit_learn_with_ties_and_unlabelled_rows(seed: int):
    rng = np.random.default_rng(seed)
    labels = rng.permutation([0] * 30 + [1] * 25)
    scores = np.round(rng.normal(size=55) + labels, 1)  # one decimal: many ties
    rows = rows_of("fan", "00", labels.tolist(), scores)
    rows += rows_of("fan", "00", [None] * 10, rng.normal(size=10) * 50)
    rows += rows_of("fan", "00", [0] * 10, rng.normal(size=10) * 50, split="train")
    (result,) = evaluate([rows[i] for i in rng.permutation(len(rows))])
    assert result.auc == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    assert result.pauc == pytest.approx(roc_auc_score(labels, scores, max_fpr=0.1), abs=1e-12)


def test_worked_by_hand():
    # Of the 6 pairs (anomaly, normal), 4 are in order and 1 is a tie: 4.5 / 6.
    labels, scores = np.array([0, 0, 0, 1, 1]), np.array([1.0, 2.0, 3.0, 2.0, 4.0])
    assert auc(labels, scores) == pytest.approx(4.5 / 6)
    # Up to a false-alarm rate of 0.1 the curve stands at 1/2: area 0.05. McClish:
    # (1 + (0.05 - 0.005) / (0.1 - 0.005)) / 2.
    assert auc(labels, scores, 0.1) == pytest.approx((1 + 0.045 / 0.095) / 2)


def test_perfect_and_all_equal():
    labels = np.array([0, 0, 1, 1])
    assert auc(labels, np.array([-4.0, -3.0, -2.0, -1.0])) == 1
    assert auc(labels, np.zeros(4)) == 0.5
    assert auc(labels, np.zeros(4), 0.1) == pytest.approx(0.5)


@pytest.mark.parametrize("labels", [[0, 0], [1, 1], [None, None], []])
def test_one_class_gives_no_result(labels: list):
    rows = rows_of("fan", "00", [0], [0.0], "train")
    rows += rows_of("fan", "00", labels, range(len(labels)))
    results = evaluate(rows)
    assert [(r.auc, r.pauc) for r in results] == [(None, None)] * (1 if labels else 0)
    assert with_averages(results)[-1] == Result("average", "average", None, None)


def test_averages_over_ids_then_over_machines():
    results = [
        Result("fan", "00", 0.6, 0.5),
        Result("fan", "02", 0.8, 0.7),
        Result("fan", "04", None, None),
        Result("pump", "00", 1.0, 0.9),
        Result("valve", "00", None, None),
    ]
    table = with_averages(results)
    assert [(r.machine, r.id) for r in table] == [
        ("fan", "00"),
        ("fan", "02"),
        ("fan", "04"),
        ("fan", "average"),
        ("pump", "00"),
        ("pump", "average"),
        ("valve", "00"),
        ("valve", "average"),
        ("average", "average"),
    ]
    assert table[3].auc == pytest.approx(0.7)
    assert table[7].auc is None
    # Over machines, not over ids: (0.7 + 1.0) / 2, not (0.6 + 0.8 + 1.0) / 3.
    assert table[-1].auc == pytest.approx(0.85)
    assert table[-1].pauc == pytest.approx(0.75)


def test_roc_runs_from_corner_to_corner_with_the_same_area():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 200)
    scores = rng.normal(size=200) + labels
    points = roc(labels, scores)
    assert points is not None
    false_alarms, detections = points
    assert (false_alarms[0], detections[0], false_alarms[-1], detections[-1]) == (0, 0, 1, 1)
    assert np.trapezoid(detections, false_alarms) == pytest.approx(auc(labels, scores))
    assert roc(np.zeros(3, int), np.arange(3.0)) is None
