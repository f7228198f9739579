import csv

import numpy as np
import pytest

from scoring.figures import svg
from scoring.metrics import Result, with_averages
from scoring.sweep import deviation, format_sweep, spreads, sweep_figure, write_sweep


def seed(auc, pauc=0.6):
    return with_averages([Result("fan", "00", auc, pauc), Result("fan", "01", 0.5, 0.5)])


def written(tmp_path, table):
    text = write_sweep(tmp_path / "sweep.csv", table).read_text()
    return list(csv.DictReader(text.splitlines()))


TABLE = spreads({"C = 1": [seed(0.7), seed(0.9)], "C = $2$": [seed(0.8)]})


def test_the_seeds_of_a_point_are_kept_unit_by_unit():
    first = TABLE[0]
    assert (first.name, first.machine, first.id) == ("C = 1", "fan", "00")
    np.testing.assert_array_equal(first.auc, [0.7, 0.9])
    assert [each.overall for each in TABLE] == [False, False, False, True] * 2


def test_mean_and_deviation_over_seeds_are_written(tmp_path):
    rows = written(tmp_path, TABLE)
    assert [row["num_seeds"] for row in rows] == ["2"] * 4 + ["1"] * 4
    assert float(rows[0]["auc"]) == pytest.approx(0.8)
    assert float(rows[0]["auc_sd"]) == pytest.approx(np.std([0.7, 0.9], ddof=1))
    assert rows[4]["auc_sd"] == ""  # one seed has no spread
    assert float(rows[3]["auc"]) == pytest.approx((0.8 + 0.5) / 2)


def test_missing_labels_leave_empty_cells(tmp_path):
    table = spreads({"x": [with_averages([Result("fan", "00", None, None)])]})
    row = written(tmp_path, table)[0]
    assert row["auc"] == row["pauc_sd"] == ""
    assert "\N{EN DASH}" in format_sweep(table)
    assert "x" in svg(sweep_figure(table))


def test_the_terminal_shows_percent_with_spread():
    text = format_sweep(TABLE).splitlines()
    assert text[1].split() == ["C", "=", "1", "2", "65.0", "±", "7.1", "55.0", "±", "0.0"]
    assert text[2].split()[-2:] == ["65.0", "55.0"]
    assert len(text) == 3


def test_the_figure_has_a_dot_a_seed_and_a_stroke_at_the_mean():
    left, right = sweep_figure(TABLE).axes
    assert (left.get_xlabel(), right.get_xlabel()) == ("AUC %", "pAUC %")
    dots = [line for line in left.lines if line.get_marker() == "o"]
    assert [sorted(line.get_xdata()) for line in dots] == [pytest.approx([60, 70]), [65]]
    strokes = [line.get_xdata() for line in left.lines if list(line.get_ydata()) == [-0.3, 0.3]]
    np.testing.assert_allclose(strokes[0], [65, 65])


def test_seeds_judged_on_other_machines_are_refused():
    other = with_averages([Result("pump", "00", 0.7, 0.6), Result("pump", "01", 0.7, 0.6)])
    with pytest.raises(ValueError):
        spreads({"C": [seed(0.7), other]})


def test_deviation_is_of_a_sample():
    assert deviation(np.array([1.0, 3.0])) == pytest.approx(np.sqrt(2))
    assert np.isnan(deviation(np.array([1.0])))
