"""Ensembles: members on one scale, joined clip by clip, or one line that says why not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scoring.ensemble import Ensemble, ensemble
from scoring.members import EnsembleError, Member, read_member
from scoring.metrics import evaluate
from scoring.rows import ScoreRow, write_scores

CLIPS = [
    (machine, id_, split, f"{split}_{label}_{i}.wav", label)
    for machine, id_ in (("fan", "00"), ("fan", "02"), ("pump", "00"))
    for split, label, n in (("train", 0, 8), ("test", 0, 5), ("test", 1, 5))
    for i in range(n)
]


def system(seed: int, shift: float = 0, stretch: float = 1) -> list[ScoreRow]:
    """Somebody's scores of all clips; anomalies score higher."""
    rng = np.random.default_rng(seed)
    return [ScoreRow(*clip, float(shift + stretch * (rng.normal() + clip[-1]))) for clip in CLIPS]


def table(rows) -> dict:
    return {(row.machine, row.id, row.split, row.name): row.score for row in rows}


def by_hand(rows: list[ScoreRow]) -> dict:
    """z scores in plain numpy."""
    z = {}
    for unit in {row.unit for row in rows}:
        mine = [row for row in rows if row.unit == unit]
        train = np.array([row.score for row in mine if row.split == "train"])
        for row in mine:
            z[(*unit, row.split, row.name)] = (row.score - train.mean()) / train.std()
    return z


A, B, C = system(0, -300, 20), system(1, 0.5, 0.01), system(2)
ABC = [Member("a", [A]), Member("b", [B]), Member("c", [C])]


def test_members_are_standardised_per_id_and_joined_by_mean_and_max():
    joined = ensemble(ABC)
    zs = [by_hand(rows) for rows in (A, B, C)]
    for name, z in zip("abc", zs, strict=True):
        assert table(joined.members[name]) == pytest.approx(z)
    for how, join in (("mean", np.mean), ("max", np.max)):
        expected = {clip: join([z[clip] for z in zs]) for clip in zs[0]}
        assert table(joined.combined[how]) == pytest.approx(expected)
    assert list(joined.systems) == ["a", "b", "c", "ensemble_mean", "ensemble_max"]


def test_what_is_not_a_score_stays():
    joined = ensemble(ABC)
    for rows in joined.systems.values():
        kept = {(row.machine, row.id, row.split, row.name, row.label) for row in rows}
        assert kept == set(CLIPS)
        assert len(rows) == len(CLIPS)


def test_order_of_members_and_rows_changes_nothing_not_even_a_bit():
    shuffled = [
        Member(m.name, [[m.variants[0][i] for i in np.random.default_rng(7).permutation(len(A))]])
        for m in ABC
    ]
    assert ensemble(shuffled[::-1]).combined == ensemble(ABC).combined


def test_the_scale_of_a_member_changes_nothing():
    stretched = [replace(row, score=1000 * row.score - 7) for row in A]
    other = ensemble([Member("a", [stretched]), *ABC[1:]])
    for how, rows in ensemble(ABC).combined.items():
        assert table(other.combined[how]) == pytest.approx(table(rows))


def test_variants_speak_with_one_voice():
    nested = ensemble([Member("a", [A, B]), Member("c", [C])])
    za, zb, zc = map(by_hand, (A, B, C))
    averaged = [
        replace(row, score=(za[clip] + zb[clip]) / 2)
        for row in A
        for clip in [(row.machine, row.id, row.split, row.name)]
    ]
    voice = by_hand(averaged)
    assert table(nested.members["a"]) == pytest.approx(voice)
    expected = {clip: max(voice[clip], zc[clip]) for clip in zc}
    assert table(nested.combined["max"]) == pytest.approx(expected)


def test_the_same_variant_twice_is_that_variant():
    twice = ensemble([Member("a", [A, A]), ABC[2]])
    once = ensemble([ABC[0], ABC[2]])
    for how in ("mean", "max"):
        assert table(twice.combined[how]) == pytest.approx(table(once.combined[how]))


def test_an_ensemble_of_one_judges_as_its_member():
    joined = ensemble([Member("a", [A])])
    for rows in joined.systems.values():
        assert evaluate(rows) == evaluate(A)


def test_the_mean_of_members_whose_errors_differ_beats_each():
    joined = ensemble([Member(str(seed), [system(seed)]) for seed in range(20, 32)])
    aucs = {
        name: np.mean([result.auc for result in evaluate(rows) if result.auc is not None])
        for name, rows in joined.systems.items()
    }
    together = aucs.pop("ensemble_mean")
    aucs.pop("ensemble_max")
    assert together > max(aucs.values())


def test_other_peoples_score_files_are_members(tmp_path: Path):
    ours, theirs = write_scores(tmp_path / "a.csv", A), write_scores(tmp_path / "b.csv", B)
    joined = ensemble([read_member("ours", ours), read_member("theirs", theirs, theirs)])
    assert table(joined.members["ours"]) == pytest.approx(by_hand(A))
    assert table(joined.members["theirs"]) == pytest.approx(by_hand(B))


def test_labels_that_one_member_does_not_know_come_from_another():
    blind = [replace(row, label=None) for row in B]
    joined = ensemble([Member("blind", [blind]), Member("a", [A])])
    assert evaluate(joined.members["blind"]) == evaluate(B)
    blind_all = [replace(row, label=None) for row in A]
    joined = ensemble([Member("blind", [blind]), Member("a", [blind_all])])
    assert all(row.label is None for row in joined.combined["mean"])


def relabelled(rows: list[ScoreRow]) -> list[ScoreRow]:
    return [
        replace(row, label=1 - (row.label or 0)) if row.split == "test" else row for row in rows
    ]


WITHOUT_TRAIN = [row for row in C if not (row.unit == ("fan", "02") and row.split == "train")]
FLAT = [replace(r, score=3.0) if r.unit == ("pump", "00") and r.split == "train" else r for r in C]


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ([Member("a", [A]), Member("b", [B[:-5]])], ["member 'b'", "pump id 00 test", "2 more"]),
        ([Member("a", [A[:-1]]), Member("b", [B])], ["member 'a'", "'test_1_4.wav'", "member 'b'"]),
        ([Member("a", [A]), Member("b", [[*B, *B[:9]]])], ["member 'b'", "train_0_0", "6 more"]),
        ([Member("a", [A, B[1:]])], ["member 'a', variant 2", "fan id 00 train 'train_0_0.wav'"]),
        ([Member("a", [A]), Member("b", [relabelled(B)])], ["'a'", "'b'", "label", "27 more"]),
        ([Member("c", [WITHOUT_TRAIN])], ["member 'c'", "no train clips", "fan id 02 test"]),
        ([Member("c", [FLAT]), Member("a", [A])], ["member 'c'", "pump id 00 train", "one score"]),
        ([Member("a", [A]), Member("a", [B])], ["'a'", "rename"]),
        ([Member("ensemble_max", [A])], ["ensemble_max", "rename"]),
        ([Member("a", [])], ["member 'a'", "no scores"]),
        ([Member("a", [A]), Member("b", [[]])], ["member 'b'", "no scores"]),
        ([], ["at least one member"]),
    ],
)
def test_what_cannot_be_joined_is_one_line_that_names_it(members: list, says: list):
    with pytest.raises(EnsembleError) as caught:
        ensemble(members)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400
    for text in says:
        assert text in str(caught.value)


def test_bad_files_are_errors_that_name_member_and_file(tmp_path: Path):
    with pytest.raises(EnsembleError, match=r"member 'theirs': .*nowhere\.csv"):
        read_member("theirs", tmp_path / "nowhere.csv")
    (tmp_path / "bad.csv").write_text("name,score\na,1\n")
    with pytest.raises(EnsembleError, match=r"member 'theirs': .*bad\.csv, line 1: the header"):
        read_member("theirs", tmp_path / "bad.csv")


def test_the_result_can_be_made_by_hand():
    assert Ensemble({"a": A}, {"mean": B}).systems == {"a": A, "ensemble_mean": B}
