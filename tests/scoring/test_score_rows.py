"""scores.csv: exact text, exact round trip, one line for every mistake."""

import math
import random
from pathlib import Path

import pytest

from scoring.files import write_text
from scoring.rows import ScoreRow, by_unit, labelled, read_scores, write_scores

ROW = ScoreRow("fan", "00", "test", "normal_id_00_00000000.wav", 0, -1.5)


def test_file_is_exactly_the_contract(tmp_path: Path):
    rows = [
        ROW,
        ScoreRow("fan", "00", "test", "anomaly_id_00_00000001.wav", 1, 0.1),
        ScoreRow("fan", "02", "train", 'a,"b".wav', None, 3.0),
    ]
    path = write_scores(tmp_path / "scores.csv", rows)
    assert path.read_bytes().decode() == (
        "machine,id,split,name,label,score\n"
        "fan,00,test,normal_id_00_00000000.wav,0,-1.5\n"
        "fan,00,test,anomaly_id_00_00000001.wav,1,0.1\n"
        'fan,02,train,"a,""b"".wav",,3.0\n'
    )


def test_scores_round_trip_to_the_last_bit(tmp_path: Path):
    draw = random.Random(0)
    scores = [draw.uniform(-1, 1) * 10.0 ** draw.randint(-300, 300) for _ in range(200)]
    rows = [
        ScoreRow("ventilateur n°3", "00", "train", f"{i} é.wav", draw.choice([None, 0, 1]), s)
        for i, s in enumerate([*scores, 0.0, -0.0, 5e-324, math.pi])
    ]
    assert read_scores(write_scores(tmp_path / "scores.csv", rows)) == rows


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("fan,00,test,a.wav,0", "line 2: 5 fields where 6 are needed"),
        ("fan,00,test,a.wav,2,1.0", "line 2: label '2' is not 0, 1 or empty"),
        ("fan,00,test,a.wav,0,loud", "line 2: score 'loud' is not a number"),
        ("fan,00,test,a.wav,0,nan", "line 2: score nan of clip 'a.wav' is not finite"),
        ("fan,00,eval,a.wav,0,1.0", "line 2: split 'eval' of clip 'a.wav' is not train or test"),
        ("../fan,00,test,a.wav,0,1", "line 2: machine '../fan' of clip 'a.wav' cannot name a file"),
        ("fan,,test,a.wav,0,1", "line 2: id '' of clip 'a.wav' cannot name a file"),
        ('fan,00,test,"a.wav,0,1', "line 2: unexpected end of data"),
    ],
)
def test_bad_line_is_named_in_one_line(tmp_path: Path, line: str, says: str):
    path = tmp_path / "scores.csv"
    path.write_text(f"machine,id,split,name,label,score\n{line}\n")
    with pytest.raises(ValueError, match=r"scores\.csv") as caught:
        read_scores(path)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"name,score\n", b"\xff\xfe\x00"])
def test_not_a_scores_file(tmp_path: Path, content: bytes):
    path = tmp_path / "scores.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"scores\.csv"):
        read_scores(path)


def test_missing_file_says_what_to_do(tmp_path: Path):
    with pytest.raises(ValueError, match="no such file; score the clips first"):
        read_scores(tmp_path / "scores.csv")


def test_infinite_score_is_refused_at_birth():
    with pytest.raises(ValueError, match="lower learning rate"):
        ScoreRow("fan", "00", "test", "a.wav", 0, math.inf)


def test_units_are_sorted_and_keep_their_order():
    rows = [
        ScoreRow("pump", "00", "test", "c", None, 1.0),
        ScoreRow("fan", "02", "test", "b", None, 1.0),
        ScoreRow("fan", "02", "train", "a", 0, 1.0),
    ]
    assert list(by_unit(rows)) == [("fan", "02"), ("pump", "00")]
    assert [row.name for row in by_unit(rows)["fan", "02"]] == ["b", "a"]
    assert list(by_unit(rows, split="train")) == [("fan", "02")]


def test_only_labelled_test_rows_count():
    rows = [
        ROW,
        ScoreRow("fan", "00", "train", "t", 0, 9.0),
        ScoreRow("fan", "00", "test", "u", None, 1.0),
    ]
    labels, scores = labelled(rows)
    assert labels.tolist() == [0]
    assert scores.tolist() == [-1.5]


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path):
    path = write_scores(tmp_path / "scores.csv", [ROW])
    before = path.read_bytes()

    def broken():
        yield ROW
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        write_scores(path, broken())
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_cannot_end_leaves_no_litter(tmp_path: Path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match="taken"):
        write_text(tmp_path / "taken", "text")
    assert [p.name for p in tmp_path.iterdir()] == ["taken"]
