"""The files of a work directory, to the letter."""

from pathlib import Path

import pytest

from scoring.metrics import Result
from scoring.rows import ScoreRow, read_scores
from scoring.tables import format_results, write_tables

DASH = "\N{EN DASH}"

ROWS = [
    ScoreRow("fan", "00", "train", "t0.wav", 0, -2.0),
    ScoreRow("fan", "00", "train", "t1.wav", 0, -2.0),
    ScoreRow("fan", "00", "test", "normal_id_00_00000000.wav", 0, -3.0),
    ScoreRow("fan", "00", "test", "anomaly_id_00_00000000.wav", 1, 0.1),
    ScoreRow("fan", "02", "train", "t2.wav", 0, 1.0),
    ScoreRow("fan", "02", "test", "id_02_00000000.wav", None, 1.0),
    ScoreRow("pump", "00", "train", "t3.wav", 0, 7.0),
]


def test_every_file_and_its_exact_content(tmp_path: Path):
    write_tables(tmp_path / "work", ROWS)
    written = {p.name: p.read_text() for p in (tmp_path / "work").iterdir()}
    assert written.pop("scores.csv").count("\n") == 8
    assert written == {
        "anomaly_score_fan_id_00.csv": (
            "normal_id_00_00000000.wav,-3.0\nanomaly_id_00_00000000.wav,0.1\n"
        ),
        "anomaly_score_fan_id_02.csv": "id_02_00000000.wav,1.0\n",
        "decision_result_fan_id_00.csv": (
            "normal_id_00_00000000.wav,0\nanomaly_id_00_00000000.wav,1\n"
        ),
        "decision_result_fan_id_02.csv": "id_02_00000000.wav,0\n",
        "results.csv": (
            "machine,id,auc,pauc\n"
            "fan,00,1.0,1.0\n"
            "fan,02,,\n"
            "fan,average,1.0,1.0\n"
            "average,average,1.0,1.0\n"
        ),
        "thresholds.csv": (
            "machine,id,threshold,precision,recall,f1\n"
            "fan,00,-2.0,1.0,1.0,1.0\n"
            "fan,02,1.0,,,\n"
            "pump,00,7.0,,,\n"
        ),
    }
    assert read_scores(tmp_path / "work" / "scores.csv") == ROWS


def test_nothing_is_written_when_an_id_has_no_train_clips(tmp_path: Path):
    with pytest.raises(ValueError, match="no train clips for fan id 02"):
        write_tables(tmp_path / "work", [row for row in ROWS if row.name != "t2.wav"])
    assert not (tmp_path / "work").exists()


def test_again_gives_the_same_files(tmp_path: Path):
    first = write_tables(tmp_path, ROWS)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    assert write_tables(tmp_path, read_scores(tmp_path / "scores.csv")) == first
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_terminal_table():
    results = [
        Result("fan", "00", 0.5, 0.4567),
        Result("fan", "02", None, None),
        Result("ToyConveyor", "01", 1.0, 1.0),
    ]
    assert format_results(results) == "\n".join(
        [
            "machine      id       AUC %  pAUC %",
            "───────────────────────────────────",
            "fan          00        50.0    45.7",
            f"fan          02       {DASH:>5}  {DASH:>6}",
            "fan          average   50.0    45.7",
            "───────────────────────────────────",
            "ToyConveyor  01       100.0   100.0",
            "ToyConveyor  average  100.0   100.0",
            "───────────────────────────────────",
            "average      average   75.0    72.8",
        ]
    )


def test_terminal_table_does_not_average_twice(tmp_path: Path):
    results = write_tables(tmp_path, ROWS)
    assert format_results(results).count("average") == 3
