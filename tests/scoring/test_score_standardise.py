"""z scores per machine and id."""

import numpy as np
import pytest

from scoring.rows import ScoreRow
from scoring.standardise import Standard, fit_standards, standardise


def unit(machine: str, id_: str, train, test) -> list[ScoreRow]:
    named = [("train", i, s) for i, s in enumerate(train)] + [
        ("test", i, s) for i, s in enumerate(test)
    ]
    return [ScoreRow(machine, id_, split, f"{split}{i}", None, float(s)) for split, i, s in named]


def test_by_hand():
    rows = unit("fan", "00", [1, 3], [5])
    assert fit_standards(rows) == {("fan", "00"): Standard(2.0, 1.0)}
    assert [row.score for row in standardise(rows)] == [-1.0, 1.0, 3.0]


def test_train_becomes_mean_0_deviation_1_per_unit_and_nothing_else_changes():
    rng = np.random.default_rng(0)
    rows = unit("fan", "00", rng.normal(-300, 7, 50), [0.0])
    rows += unit("fan", "02", rng.normal(40, 0.1, 50), [40.5])
    scaled = standardise(rows)
    for id_ in ("00", "02"):
        z = [row.score for row in scaled if row.id == id_ and row.split == "train"]
        assert np.mean(z) == pytest.approx(0, abs=1e-9)
        assert np.std(z) == pytest.approx(1)
    assert [(r.unit, r.split, r.name) for r in scaled] == [(r.unit, r.split, r.name) for r in rows]


@pytest.mark.parametrize("train", [[4.0], [4.0, 4.0], [0.1] * 7, [0.0, 0.0]])
def test_without_spread_scores_are_only_centred(train: list):
    rows = unit("fan", "00", train, [train[0], train[0] + 2])
    assert [row.score for row in standardise(rows)][-2:] == pytest.approx([0.0, 2.0])


def test_standards_of_other_rows_apply():
    (row,) = standardise(unit("fan", "00", [], [5]), {("fan", "00"): Standard(1.0, 2.0)})
    assert row.score == 2.0


def test_no_train_clips_is_one_line_that_names_the_ids():
    rows = unit("fan", "00", [1, 2], [3]) + unit("fan", "02", [], [3]) + unit("pump", "00", [], [1])
    with pytest.raises(ValueError, match="no train clips for fan id 02, pump id 00") as caught:
        standardise(rows)
    assert "\n" not in str(caught.value)
