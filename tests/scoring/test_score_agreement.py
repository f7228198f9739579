"""Agreement and comparison: what members share, where they part, and who is better."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from scoring.agreement import (
    disagreements,
    machine_correlations,
    rank_correlations,
    write_agreement,
)
from scoring.comparison import best, compare, format_comparison, side_by_side, write_comparison
from scoring.ensemble_plots import correlation_figure, scatter_figure, telling_pairs
from scoring.figures import svg
from scoring.members import EnsembleError
from scoring.metrics import Result
from scoring.rows import ScoreRow


def rows_of(scores, machine="fan", id_="00", split="test") -> list[ScoreRow]:
    return [
        ScoreRow(machine, id_, split, f"{i:02d}.wav", i % 2 if split == "test" else 0, float(s))
        for i, s in enumerate(scores)
    ]


RNG = np.random.default_rng(0)
TIED = RNG.integers(0, 8, (3, 40))  # three systems, many ties
OTHER = RNG.normal(size=(3, 25))
SYSTEMS = {
    name: rows_of(tied) + rows_of(other, id_="02") + rows_of(RNG.normal(size=9), split="train")
    for name, tied, other in zip(("x", "y", "z"), TIED, OTHER, strict=True)
}


def test_correlations_are_scipys_per_id_ties_included():
    units = rank_correlations(SYSTEMS)
    assert list(units) == [("fan", "00"), ("fan", "02")]
    for unit, scores in (("00", TIED), ("02", OTHER)):
        expected = spearmanr(scores, axis=1).statistic
        np.testing.assert_allclose(units["fan", unit], expected, atol=1e-12)
    machine = machine_correlations(units)["fan"]
    np.testing.assert_allclose(machine, (units["fan", "00"] + units["fan", "02"]) / 2)


def test_rows_may_come_in_any_order_but_must_be_the_same_clips():
    backwards = {name: rows[::-1] for name, rows in SYSTEMS.items()}
    np.testing.assert_array_equal(
        rank_correlations(backwards)["fan", "00"], rank_correlations(SYSTEMS)["fan", "00"]
    )
    with pytest.raises(EnsembleError, match=r"y has no score for fan id 00 test '00\.wav'"):
        rank_correlations({"x": SYSTEMS["x"], "y": SYSTEMS["y"][1:]})


def test_a_system_that_orders_nothing_correlates_with_nothing():
    systems = {"x": rows_of([1, 2, 3]), "flat": rows_of([5, 5, 5])}
    units = rank_correlations(systems)
    assert np.isnan(units["fan", "00"][0, 1])
    assert np.isnan(machine_correlations(units)["fan"][0, 1])
    both = {name: rows + rows_of([1, 2, 3], id_="02") for name, rows in systems.items()}
    assert machine_correlations(rank_correlations(both))["fan"][0, 1] == pytest.approx(1)


def test_the_planted_quarrel_comes_first():
    calm = np.arange(11.0)
    moved = calm.copy()
    moved[2] = 1e6  # ordinary to x, the strangest to y
    found = disagreements({"x": rows_of(calm), "y": rows_of(moved)})["fan"]
    assert found[0].clip.name == "02.wav"
    assert found[0].clip.label == 0
    assert found[0].places == {"x": 0.2, "y": 1.0}
    assert found[0].spread == pytest.approx(0.8)
    assert max(other.spread for other in found[1:]) == pytest.approx(0.1)


def test_systems_that_score_on_other_scales_do_not_quarrel():
    scores = RNG.normal(size=12)
    found = disagreements({"x": rows_of(scores), "y": rows_of(np.exp(9 * scores))})["fan"]
    assert {clip.spread for clip in found} == {0.0}


def test_agreement_file_has_each_pair_once(tmp_path: Path):
    systems = {"x": rows_of([1, 2, 3]), "y": rows_of([3, 2, 1]), "flat": rows_of([0, 0, 0])}
    assert write_agreement(tmp_path / "agreement.csv", systems).read_text() == (
        "machine,id,system,other,spearman\nfan,00,x,y,-1.0\nfan,00,x,flat,\nfan,00,y,flat,\n"
    )


GOOD = [ScoreRow("fan", "00", "test", str(i), i // 2, float(i)) for i in range(4)]
BAD = [ScoreRow("fan", "00", "test", str(i), i // 2, float(-i)) for i in range(4)]


def test_comparison_file_to_the_letter(tmp_path: Path):
    results = compare({"good": GOOD, "bad": BAD})
    assert write_comparison(tmp_path / "comparison.csv", results).read_text().splitlines() == [
        "system,machine,id,auc,pauc",
        "good,fan,00,1.0,1.0",
        "good,fan,average,1.0,1.0",
        "good,average,average,1.0,1.0",
        *(
            f"bad,{unit},0.0,{results['bad'][0].pauc!r}"
            for unit in ("fan,00", "fan,average", "average,average")
        ),
    ]


def test_terminal_table_has_a_column_for_each_system():
    results = compare({"good": GOOD, "a_system_with_a_name": BAD})
    assert format_comparison(results) == "\n".join(
        [
            "machine  id                good  a_system_with_a_name",
            "─────────────────────────────────────────────────────",
            "fan      00       100.0 (100.0)            0.0 (47.4)",
            "fan      average  100.0 (100.0)            0.0 (47.4)",
            "─────────────────────────────────────────────────────",
            "average  average  100.0 (100.0)            0.0 (47.4)",
        ]
    )


def test_systems_judged_on_other_ids_do_not_stand_side_by_side():
    with pytest.raises(ValueError, match="b and a were not judged on the same"):
        side_by_side({"a": [Result("fan", "00", 1, 1)], "b": [Result("fan", "02", 1, 1)]})


@pytest.mark.parametrize(
    ("values", "bold"),
    [
        ([0.9, 0.5, None], [True, False, False]),
        ([0.90001, 0.90002, 0.5], [True, True, False]),  # they look the same
        ([0.9, 0.9], [False, False]),
        ([None, None], [False, False]),
        ([0.9], [False]),
    ],
)
def test_the_best_is_bold_to_the_shown_digit(values: list, bold: list):
    assert best(values) == bold


def test_telling_pairs_are_the_extremes():
    matrix = np.array([[1, 0.2, 0.9], [0.2, 1, np.nan], [0.9, np.nan, 1]])
    assert telling_pairs(matrix) == [(0, 1), (0, 2)]
    assert telling_pairs(matrix[:2, :2]) == [(0, 1)]
    assert telling_pairs(np.ones((1, 1))) == []
    assert telling_pairs(np.full((2, 2), np.nan)) == []


def test_the_staircase_names_all_and_shows_each_pair_once():
    matrix = np.array([[1, -0.25, np.nan], [-0.25, 1, 0.5], [np.nan, 0.5, 1]])
    figure = correlation_figure(["one", "$t_w^o", "three"], matrix)
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert {"\N{MINUS SIGN}0.25", "0.50", "\N{EN DASH}", "one", "three"} <= set(texts)
    assert len(figure.axes[0].patches) == 2
    assert "$t_w^o" in svg(figure)


def test_scatter_shows_every_clip_of_every_label_and_stays_small():
    labels = (0, 1, None)
    x = [ScoreRow("fan", "00", "test", str(i), labels[i % 3], float(i)) for i in range(3000)]
    y = [ScoreRow("fan", "00", "test", str(i), labels[i % 3], -1e4 * i) for i in range(3000)]
    figure = scatter_figure({"x": x, "y": y}, [(0, 1)], np.array([[1, -1.0], [-1, 1]]))
    (axes,) = figure.axes
    (points,) = axes.collections
    assert len(points.get_offsets()) == 3000  # type: ignore[arg-type]
    inks, counts = np.unique(points.get_facecolors(), axis=0, return_counts=True)  # type: ignore
    assert len(inks) == 3
    assert counts.tolist() == [1000] * 3
    lowest = points.get_offsets()[np.argmin(np.asarray(points.get_offsets())[:, 1])]  # type: ignore
    assert lowest.tolist() == [2999, -1e4 * 2999]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x", "y")
    assert len(svg(figure)) < 150_000
