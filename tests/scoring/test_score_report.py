"""The report: one file, no network, no lies, with labels and without."""

import base64
import re
from pathlib import Path

import numpy as np
import pytest

from scoring import summary
from scoring.metrics import Result
from scoring.report import Report, StrangeClip, write_report
from scoring.rows import ScoreRow
from scoring.threshold import fit_units, rank_clips
from tests.scoring.page import Page, made_up


def strangest(rows: list[ScoreRow], audio: bytes | None = b"RIFFaudio") -> list[StrangeClip]:
    rng = np.random.default_rng(1)
    clips = []
    for ranked in rank_clips(rows, fit_units(rows)).values():
        nll = rng.normal(1, 1, (50, 16))
        nll[:2] = nll[-2:] = np.nan
        logmel = rng.normal(-40, 5, (50, 16))
        clip = StrangeClip(ranked[0].row, logmel, nll, 0.032, np.linspace(40, 8000, 16), audio)
        clips.append(clip)
    return clips


def full(rows: list[ScoreRow], **changes) -> Report:
    parts = {
        "title": "A hall",
        "rows": rows,
        "curves": {"fan": [{"step": i, "loss": 9.0 - i} for i in range(5)]},
        "strange_clips": strangest(rows),
        "config": '{"seed": 0}',
        "facts": {"Wall time": "4 min"},
        "skipped": [("fan/test/bad.wav", "truncated")],
    }
    return Report(**{**parts, **changes})


def test_needs_no_network_and_no_other_file(tmp_path: Path):
    path = write_report(tmp_path / "report.html", full(made_up()))
    page = Page(path)
    assert not re.search(r"https?:|//[a-z]+\.", page.source)
    for _, attrs in page.tags:
        for key in ("src", "srcset", "href", "data", "poster"):
            assert attrs.get(key, "data:").startswith(("data:", "#"))
    assert "default-src 'none'" in page.all("meta")[2]["content"]
    assert not page.all("link")


def test_every_figure_is_embedded_and_written_beside(tmp_path: Path):
    page = Page(write_report(tmp_path / "report.html", full(made_up())))
    embedded = {base64.b64decode(img["src"].split(",")[1]) for img in page.all("img")}
    beside = {p.read_bytes() for p in (tmp_path / "figures").iterdir()}
    assert embedded == beside
    assert {p.name for p in (tmp_path / "figures").iterdir()} == {
        "scores_fan.svg",
        "scores_pump.svg",
        "roc_fan.svg",
        "roc_pump.svg",
        "curves_fan.svg",
        "strange_fan_001.png",
        "strange_pump_001.png",
    }
    assert all(img["alt"] for img in page.all("img"))


def test_sections_come_in_order_and_say_what_was_asked(tmp_path: Path):
    page = Page(write_report(tmp_path / "report.html", full(made_up())))
    headings = [attrs["id"] for attrs in page.all("h2")]
    assert headings == ["results", "scores", "roc", "training", "strange", "skipped", "run"]
    assert "Having heard 160 normal clips of 4 machines (2 machine types)" in page.text
    for text in ("truncated", "4 min", '{"seed": 0}', "rank 1 of 36", "average"):
        assert text in page.text
    assert base64.b64decode(page.all("audio")[0]["src"].split(",")[1]) == b"RIFFaudio"
    assert page.all("audio")[0]["src"].startswith("data:audio/wav;base64,")


def test_without_labels_it_ranks_instead_of_judging(tmp_path: Path):
    page = Page(write_report(tmp_path / "report.html", full(made_up(labels=False))))
    assert [attrs["id"] for attrs in page.all("h2")] == [
        "ranking",
        "scores",
        "training",
        "strange",
        "skipped",
        "run",
    ]
    assert "AUC" not in page.text
    assert "no verdict on the model" in page.text
    assert "alarm" in page.text
    assert page.text.index("test_1_id") < page.text.index("test_0_id")


def test_partly_labelled_has_both(tmp_path: Path):
    rows = made_up(machines=("fan",)) + made_up(labels=False, machines=("pump",))
    page = Page(write_report(tmp_path / "report.html", full(rows)))
    headings = [attrs["id"] for attrs in page.all("h2")]
    assert headings[:2] == ["results", "ranking"]


def test_a_long_ranking_says_where_the_rest_is(tmp_path: Path):
    rows = [ScoreRow("fan", "00", "train", f"t{i}", 0, float(i)) for i in range(9)]
    rows += [ScoreRow("fan", "00", "test", f"c{i}", None, float(i)) for i in range(150)]
    page = Page(write_report(tmp_path / "report.html", Report("T", rows)))
    assert "The first 100 of 150" in page.text


def test_hostile_names_are_text(tmp_path: Path):
    evil = "\"'><script>alert(1)</script>"
    machine = '"><script>alert(1)'  # a machine cannot hold a slash
    rows = [
        ScoreRow(machine, "<b>", split, f"{evil}{i}.wav", label, float(i))
        for split, label in (("train", 0), ("test", 0), ("test", 1))
        for i in range(4)
    ]
    clip = StrangeClip(
        rows[-1], np.zeros((9, 4)), np.ones((9, 4)), 0.03, np.arange(1.0, 5), b"x", f'"{evil}'
    )
    report = Report(evil, rows, {machine: [{"step": 1, f"loss{evil}": 2.0}]}, [clip], evil)
    report = Report(**{**vars(report), "facts": {evil: evil}, "skipped": [(evil, evil)]})
    page = Page(write_report(tmp_path / "report.html", report))
    assert len(page.all("script")) == 1
    assert "<script>alert" not in page.source
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.source
    assert len(page.all("b")) == 5  # only the tiles' own
    assert all("<" not in p.name for p in (tmp_path / "figures").iterdir())


def test_without_audio_curves_or_strange_clips(tmp_path: Path):
    rows = made_up()
    page = Page(write_report(tmp_path / "a.html", full(rows, strange_clips=strangest(rows, None))))
    assert not page.all("audio")
    page = Page(write_report(tmp_path / "b.html", Report("Bare", rows)))
    assert [attrs["id"] for attrs in page.all("h2")] == ["results", "scores", "roc", "run"]


def test_train_clips_only(tmp_path: Path):
    rows = [row for row in made_up() if row.split == "train"]
    page = Page(write_report(tmp_path / "report.html", Report("No test clips", rows)))
    assert "ranked 0 test clips" in page.text


def test_same_run_same_page(tmp_path: Path):
    report = full(made_up())
    first = write_report(tmp_path / "a" / "report.html", report).read_bytes()
    assert write_report(tmp_path / "b" / "report.html", report).read_bytes() == first


def test_mistakes_are_one_line(tmp_path: Path):
    rows = made_up()
    stranger = strangest(rows)[:1]
    rows_without = [row for row in rows if row != stranger[0].row]
    for report, says in (
        (Report("T", []), "no scored clips"),
        (Report("T", [r for r in rows if r.split == "test"]), "no train clips for fan id 00"),
        (Report("T", rows_without, {}, stranger), "is not among the scored test clips"),
    ):
        with pytest.raises(ValueError, match=says) as caught:
            write_report(tmp_path / "report.html", report)
        assert "\n" not in str(caught.value)
        assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize(
    ("p", "digits", "words"),
    [
        (0.7, "0.70", "as ordinary as most normal clips"),
        (0.1, "0.10", "1 in 10 normal clips is as strange"),
        (0.02, "0.020", "1 in 50 normal clips is as strange"),
        (4.4e-4, "0.00044", "1 in 2,300 normal clips is as strange"),
        (4.4e-5, "0.000044", "1 in 23,000 normal clips is as strange"),
        (0.0, "< 0.000001", "rarer than 1 in a million normal clips"),
    ],
)
def test_p_values_in_digits_and_words(p: float, digits: str, words: str):
    assert (summary.p_text(p), summary.rarity(p)) == (digits, words)


def test_verdict_names_best_and_worst():
    results = [Result("fan", "00", 0.6, 0.5), Result("pump", "00", 0.9, 0.8)]
    text = summary.verdict(results)
    assert "75.0% of the time" in text
    assert "best on pump (90.0)" in text
    assert "worst" not in summary.verdict(results[:1])


def test_numbers_of_alarms_are_counted():
    rows = made_up(machines=("fan",))
    clips = rank_clips(rows, fit_units(rows))["fan"]
    caught = sum(clip.alarm for clip in clips if clip.row.label == 1)
    assert f"Caught: {caught} of 18 labelled anomalies." in summary.alarms(clips)
    assert [tile.name for tile in summary.tiles([], clips)][:1] == ["test clips"]
