"""The gamma threshold: coverage, equivariance, degenerate scores, decisions, ranking."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import precision_recall_fscore_support

from scoring.rows import ScoreRow
from scoring.threshold import (
    QUANTILE,
    Decision,
    GammaFit,
    decide,
    detection,
    fit_gamma,
    fit_units,
    p_values,
    rank_clips,
)

DISTRIBUTIONS = {
    "exponential": stats.gamma(1),
    "gamma": stats.gamma(3),
    "negative": stats.gamma(30, loc=-900, scale=3),
    "normal": stats.norm(-200, 5),
    "lognormal": stats.lognorm(0.7, loc=-20),
}


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_about_ninety_percent_of_normal_clips_lie_below(name: str):
    # Scipy's free fit would leave 60 to 70 % on the lognormal.
    law = DISTRIBUTIONS[name]
    draws = [law.rvs(500, random_state=seed) for seed in range(20)]
    coverage = [law.cdf(fit_gamma(draw).quantile(QUANTILE)) for draw in draws]
    assert np.mean(coverage) == pytest.approx(0.9, abs=0.015)
    assert np.min(coverage) > 0.85


def test_p_values_of_normal_clips_are_uniform():
    law = stats.gamma(5, loc=-100, scale=2)
    fit = fit_gamma(law.rvs(2000, random_state=0))
    p = fit.tail(law.rvs(2000, random_state=1))
    assert stats.kstest(p, "uniform").pvalue > 0.01


@pytest.mark.parametrize(("shift", "stretch"), [(-1e4, 1.0), (0.0, 1e-3), (77.0, 250.0)])
def test_follows_any_shift_and_stretch(shift: float, stretch: float):
    scores = stats.gamma(2).rvs(100, random_state=3)
    here, there = fit_gamma(scores), fit_gamma(shift + stretch * scores)
    assert there.quantile(0.9) == pytest.approx(shift + stretch * here.quantile(0.9), rel=1e-6)
    assert there.shape == pytest.approx(here.shape, rel=1e-4)
    assert there.tail(shift + stretch * 4.0) == pytest.approx(here.tail(4.0), rel=1e-4)


def test_tail_and_quantile_are_inverse_and_fall_with_strangeness():
    fit = fit_gamma(stats.gamma(2, loc=-50).rvs(100, random_state=0))
    assert fit.tail(fit.quantile(0.9)) == pytest.approx(0.1)
    p = fit.tail(np.linspace(-60, 0, 50))
    assert np.all(np.diff(p) <= 0)
    assert (p[0], p[-1] < 1e-6) == (1.0, True)


@pytest.mark.parametrize("scores", [[-3.0], [-3.0, -3.0], [0.1] * 9, [0.0]])
def test_without_spread_only_what_is_stranger_than_all_is_strange(scores: list):
    fit = fit_gamma(np.array(scores))
    assert fit.scale == 0
    assert fit.quantile(0.9) == scores[0]
    assert fit.tail(np.array([scores[0] - 1, scores[0], scores[0] + 1])).tolist() == [1, 1, 0]


@pytest.mark.parametrize(
    "scores",
    [
        [1.0, 2.0],
        [1.0, 2.0, 2.0],
        [0.0] * 99 + [1e6],
        [0.0] + [1.0] * 99,
        [-1e-9, 0.0, 1e-9],
        [1e8, 1e8 + 1],
        (-stats.gamma(1).rvs(50, random_state=0)).tolist(),
    ],
)
def test_awkward_scores_give_finite_answers_and_no_warning(scores: list):
    fit = fit_gamma(np.array(scores))
    assert np.isfinite([fit.shape, fit.loc, fit.scale, fit.quantile(0.9)]).all()
    assert min(scores) <= fit.quantile(0.9)
    assert np.isfinite(fit.tail(np.array([*scores, 1e300, -1e300]))).all()


def test_no_scores():
    with pytest.raises(ValueError, match="at least one"):
        fit_gamma(np.array([]))


def rows_of(train, normal, anomaly, id_: str = "00") -> list[ScoreRow]:
    kinds = [("train", 0, train), ("test", 0, normal), ("test", 1, anomaly)]
    return [
        ScoreRow("fan", id_, split, f"{split}{label}_{i}", label, float(score))
        for split, label, scores in kinds
        for i, score in enumerate(scores)
    ]


def test_decisions_by_hand():
    # A point mass at 5: the alarms are 6 (false), 7 and 8; one of three anomalies is missed.
    rows = rows_of([5, 5], [4, 5, 6], [5, 7, 8])
    (decision,) = decide(rows, fit_units(rows))
    assert decision == Decision("fan", "00", 5.0, 2 / 3, 2 / 3, 2 / 3)


def test_detection_equals_scikit_learn():
    rng = np.random.default_rng(0)
    labels, alarms = rng.integers(0, 2, 99), rng.random(99) < 0.4
    expected = precision_recall_fscore_support(labels, alarms, average="binary")[:3]
    assert detection(labels, alarms) == pytest.approx(expected)


def test_no_alarm_is_precision_0_and_one_class_is_nothing():
    assert detection(np.array([0, 1]), np.array([False, False])) == (0.0, 0.0, 0.0)
    assert detection(np.array([0, 0]), np.array([True, False])) == (None, None, None)
    assert detection(np.array([], int), np.array([], bool)) == (None, None, None)


def test_an_id_with_train_clips_only_has_a_threshold():
    rows = rows_of([1, 2, 3], [], [])
    (decision,) = decide(rows, fit_units(rows))
    assert decision.threshold > 2
    assert decision.precision is None


def test_an_id_that_train_never_saw_is_named():
    rows = rows_of([], [1], [2], "06")
    for judge in (decide, p_values, rank_clips):
        with pytest.raises(ValueError, match="no train clips for fan id 06"):
            judge(rows, fit_units(rows))


def test_ranking_puts_ids_on_one_scale_and_breaks_underflow_by_distance():
    rng = np.random.default_rng(0)
    rows = rows_of(rng.normal(0, 1, 200), [0.0], [1e5, 2.5])
    rows += rows_of(rng.normal(500, 10, 200), [500.0], [1e6], id_="02")
    fits = fit_units(rows)
    ranking = rank_clips(rows, fits)["fan"]
    assert [c.row.score for c in ranking[:3]] == [1e6, 1e5, 2.5]  # the first two have p = 0
    assert [c.rank for c in ranking] == [1, 2, 3, 4, 5]
    assert [c.alarm for c in ranking] == [True, True, True, False, False]
    assert [c.p for c in ranking] == sorted(p_values([c.row for c in ranking], fits))


def test_rank_covers_test_clips_only_per_machine():
    rows = [*rows_of([1, 2], [3], []), ScoreRow("pump", "00", "train", "t", 0, 1.0)]
    ranking = rank_clips(rows, {("fan", "00"): GammaFit(1.0, 0.0, 1.0)})
    assert {machine: [c.row.name for c in clips] for machine, clips in ranking.items()} == {
        "fan": ["test0_0"]
    }
