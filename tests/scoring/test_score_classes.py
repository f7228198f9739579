import numpy as np
import pytest
from sklearn.metrics import roc_curve

from scoring.classes import format_classes, with_average, write_classes
from scoring.eer import equal_error_rate


def test_eer_of_separate_reversed_and_tied_scores():
    labels = np.array([0, 0, 0, 1, 1, 1])
    assert equal_error_rate(labels, np.arange(6.0)) == 0
    assert equal_error_rate(labels, -np.arange(6.0)) == 1
    assert equal_error_rate(labels, np.zeros(6)) == pytest.approx(0.5)


def test_eer_by_hand():
    # Any threshold between 2 and 3 misses one of four and falsely hears one of four.
    labels = np.array([1, 1, 1, 1, 0, 0, 0, 0])
    scores = np.array([9.0, 8, 7, 2, 3, 1, 0, 0])
    assert equal_error_rate(labels, scores) == pytest.approx(0.25)


def test_eer_between_two_thresholds_is_interpolated():
    labels = np.array([1, 1, 0, 0, 0])
    scores = np.array([3.0, 1, 2, 1, 0])
    # From (1/3, 1/2) to (2/3, 0): the line meets equal rates where x = 1/2 - 3/2 (x - 1/3).
    assert equal_error_rate(labels, scores) == pytest.approx(0.4)


def test_eer_is_where_rates_meet_on_many_scores():
    rng = np.random.default_rng(0)
    labels = np.arange(4000) % 2
    scores = rng.normal(size=4000) + labels
    false_alarms, hits, _ = roc_curve(labels, scores, drop_intermediate=False)
    nearest = np.argmin(np.abs(false_alarms - (1 - hits)))
    assert equal_error_rate(labels, scores) == pytest.approx(false_alarms[nearest], abs=1e-3)


def test_eer_needs_both_labels():
    assert equal_error_rate(np.ones(3), np.arange(3.0)) is None


def test_results_end_in_the_average_of_what_is_known(tmp_path):
    results = {"cry": (0.5, 0.8), "shot": (0.25, None)}
    path = write_classes(tmp_path / "results.csv", ("error_rate", "f1"), results)
    assert path.read_text().splitlines() == [
        "class,error_rate,f1",
        "cry,0.5,0.8",
        "shot,0.25,",
        "average,0.375,0.8",
    ]
    assert with_average({"shot": (None,)})["average"] == [None]


def test_the_terminal_has_percents():
    lines = format_classes(("EER %",), {"cry": (0.125,), "shattering": (0.25,)}).splitlines()
    assert lines[0].split() == ["class", "EER", "%"]
    assert lines[2].split() == ["cry", "12.5"] and lines[-1].split() == ["average", "18.8"]
    assert len({len(line) for line in lines}) == 1
