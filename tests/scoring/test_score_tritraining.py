"""Tri-training's tables and page, from made-up probabilities."""

import csv

import numpy as np
import pytest

from scoring.tritraining import (
    SYSTEMS,
    Answers,
    PseudoLabel,
    accuracies,
    averages,
    error_rates,
    reduction,
    rightness,
    write_tritraining,
)
from scoring.tritraining_page import Clip, lessons, saved, stages, verdict, write_page
from scoring.tritraining_page import Page as TriPage
from tests.scoring.page import Page

MODELS = [f"{kind}_{i}" for kind in ("initial", "retrained") for i in (1, 2, 3)]
NOISE = {"supervised": 1.5, "self_training": 1.0, "pool": 0.5, "student": 0.6}
LABELS = [
    PseudoLabel(0, "self_training", "a.wav", "dog", "dog"),
    PseudoLabel(1, "self_training", "b.wav", "dog", "<cry>"),
    PseudoLabel(0, "retrained_1", "a.wav", "dog", "dog"),
]


def made_up(**noise) -> Answers:
    """Two folds of three classes; the noisier a system, the worse it is."""
    rng = np.random.default_rng(0)
    labels = np.tile(np.repeat(np.arange(3), 10), 2)
    probs = {}
    for name in (*SYSTEMS, *MODELS):
        logits = np.eye(3)[labels] + (noise | NOISE).get(name, 2.0) * rng.normal(size=(60, 3))
        probs[name] = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    names = [f"{i}.wav" for i in range(60)]
    return Answers(("<cry>", "dog", "shot"), np.repeat([0, 1], 30), names, labels, probs)


def rows(path):
    return list(csv.reader(path.read_text().splitlines()))


def test_error_rates_by_hand():
    """One of two clips of the first class lies below one of two others."""
    probs = np.array([[0.9, 0.1], [0.4, 0.6], [0.5, 0.5], [0.1, 0.9]])
    answers = Answers(("a", "b"), np.zeros(4), list("wxyz"), np.array([0, 0, 1, 1]), {"one": probs})
    assert error_rates(answers, ["one"]) == {"a": [0.5], "b": [0.5]}
    assert averages(answers, ["one"]) == {"one": 0.5}
    assert accuracies(answers, ["one"]) == {"one": 0.5}


def test_a_fold_has_its_own_clips_alone():
    answers = made_up()
    part = answers.part(1)
    assert part.names == answers.names[30:] and len(part.labels) == 30
    np.testing.assert_array_equal(part.probs["pool"], answers.probs["pool"][30:])


def test_a_reduction_is_a_share_of_the_baseline():
    assert reduction(0.15, 0.2) == pytest.approx(0.25)
    assert reduction(0.3, 0.2) == pytest.approx(-0.5)
    assert reduction(0.1, 0.0) is None and reduction(None, 0.1) is None


def test_right_labels_are_counted():
    assert rightness(LABELS) == {"self_training": (2, 1), "retrained_1": (1, 1)}
    known = {lesson.name: lesson for lesson in lessons(LABELS, num_folds=2)}
    assert known["self_training"].given == 1 and known["self_training"].right == 0.5
    assert known["retrained_2"].given == 0 and known["retrained_2"].right is None


def test_tables(tmp_path):
    answers = made_up()
    rates = write_tritraining(tmp_path, answers, LABELS, "pool")
    compared, results = rows(tmp_path / "comparison.csv"), rows(tmp_path / "results.csv")
    assert compared[0] == ["class", *SYSTEMS] and compared[-1][0] == "average"
    assert [float(cell) for cell in compared[1][1:]] == rates["<cry>"]
    assert results == [["class", "eer"], *([row[0], row[3]] for row in compared[1:])]
    predictions = rows(tmp_path / "predictions.csv")
    assert predictions[0] == ["fold", "clip", "class", "system", "predicted", *answers.classes]
    assert len(predictions) == 1 + 60 * len(answers.probs)
    assert rows(tmp_path / "pseudo_labels.csv")[2] == [
        "1",
        "self_training",
        "b.wav",
        "dog",
        "<cry>",
    ]


def test_the_verdict_says_what_was_won_and_what_was_lost():
    assert "the pool's is" in verdict(made_up()) and "lower" in verdict(made_up())
    worse = made_up()
    worse.probs["self_training"], worse.probs["pool"] = (  # type: ignore[index]
        worse.probs["pool"],
        worse.probs["supervised"],
    )
    assert "higher" in verdict(worse)
    share = saved(worse, "pool")
    assert share is not None and share < 0


def test_stages_average_the_three_models():
    answers = made_up()
    found = {stage.name: stage for stage in stages(answers)}
    three = averages(answers, MODELS[:3]).values()
    assert found["initial, one of three"].rate == pytest.approx(np.mean(list(three)))


def test_the_page_shows_all_of_it_and_needs_no_other_file(tmp_path):
    said = dict.fromkeys(SYSTEMS, ("dog", 0.9)) | {"supervised": ("shot", 0.5)}
    clips = [Clip("<b>.wav", "dog", said, b"RIFF"), Clip("c.npy", "dog", said)]
    tri = TriPage("Tri", made_up(), LABELS, 12, 48, clips, "{}", {"Wall time": "4 s"})
    page = Page(write_page(tmp_path / "report.html", tri))
    assert "<cry>" in page.text and "<b>.wav" in page.text and "Wall time" in page.text
    assert "12 labelled and 48 unlabelled clips" in page.text and "in 2 folds" in page.text
    assert len(page.all("audio")) == 1
    assert all(img["src"].startswith("data:") for img in page.all("img"))
    assert (tmp_path / "figures" / "error_rates.svg").exists()


def test_a_page_without_pseudo_labels_or_clips(tmp_path):
    tri = TriPage("Tri", made_up(), [], 12, 48, skipped=[("x.wav", "holds no samples")])
    page = Page(write_page(tmp_path / "report.html", tri))
    assert "holds no samples" in page.text and not page.all("audio")
