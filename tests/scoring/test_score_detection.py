import numpy as np
import pytest

from scoring.costs import Cost
from scoring.detection import Detected, detected, found
from scoring.detection_page import Page, System, headline, lines, write_page
from scoring.detection_plots import Lane, MarkedClip, marked_figure, panel_box

TRUTH = {"a": (1.0, 2.0), "b": None, "c": (3.0, 4.0), "d": (5.0, 9.0)}


def test_error_rate_and_f1_by_hand():
    # Found, falsely marked, missed, marked at the wrong time (a miss and a false one).
    marks = {"a": [(1.4, 7.0)], "b": [(5.0, 6.0)], "c": [], "d": [(5.6, 9.0)]}
    came = detected(TRUTH, marks)
    assert (came.num_events, came.num_missed, came.num_false) == (3, 2, 2)
    assert came.error_rate == pytest.approx(4 / 3)
    assert came.f1 == pytest.approx(2 * 1 / (3 + 3))


def test_the_collar_is_of_onsets_alone():
    marks = {name: [(span[0] + 0.5, 100.0)] if span else [] for name, span in TRUTH.items()}
    assert detected(TRUTH, marks).error_rate == 0
    assert detected(TRUTH, marks, collar=0.4).error_rate == 2


def test_empty_clips_count_and_clips_without_any_event_have_no_rate():
    nothing = detected(TRUTH, {name: [] for name in TRUTH})
    assert nothing.error_rate == pytest.approx(1) and nothing.f1 == 0
    assert detected({"b": None}, {"b": []}) == Detected(None, None, 0, 0, 0)


@pytest.mark.parametrize(
    ("truth", "marks", "outcome"),
    [
        ((1.0, 2.0), [(1.2, 2.0)], "found"),
        ((1.0, 2.0), [(1.2, 2.0), (5.0, 6.0)], "false alarm"),
        ((1.0, 2.0), [(1.6, 2.0)], "false alarm"),
        ((1.0, 2.0), [], "missed"),
        (None, [], "quiet"),
        (None, [(1.0, 2.0)], "false alarm"),
    ],
)
def test_what_came_of_a_clip(truth, marks, outcome):
    assert found(truth, marks) == outcome


def system(rates, costs=()):
    results = {name: Detected(rate, 1 - rate, 10, 1, 2) for name, rate in rates.items()}
    return System(results, dict.fromkeys(rates, 0.5), costs)


SYSTEMS = {
    "rcrnn": system({"cry": 0.2, "shot": 0.4}, [Cost("cry", 1000, 60.0, 2.0, 0.5)]),
    "<attention>": system({"cry": 0.3, "shot": 0.1}),
}


def clip(truth=(0.5, 1.0)):
    lanes = {name: Lane([(0.4, 1.1, 0.9)], np.linspace(0, 1, 20), 0.1) for name in SYSTEMS}
    logmel = np.random.default_rng(0).normal(-40, 5, (20, 16))
    return MarkedClip("a_$1.wav", logmel, 0.1, np.geomspace(50, 8000, 16), truth, lanes, b"RIFF")


def test_the_best_of_each_column_is_marked():
    table = lines(SYSTEMS)
    assert [[best for _, _, best, _ in line.cells] for line in table] == [
        [True, False, False],
        [False, True, True],
    ]
    assert not any(best for _, _, best, _ in lines({"one": SYSTEMS["rcrnn"]})[0].cells)


def test_the_headline_says_which_is_best():
    assert "2 detectors listened for cry, shot: 20 events." in headline(SYSTEMS)
    assert "<attention> has the lowest error rate: 20.0%" in headline(SYSTEMS)
    assert "The error rate: 30.0%" in headline({"rcrnn": SYSTEMS["rcrnn"]})


def test_the_page_needs_no_other_file_and_escapes_names(tmp_path):
    page = Page("runs", SYSTEMS, {"cry": [clip(), clip(None)]}, config="{}", facts={"Data": "x"})
    text = write_page(tmp_path / "report.html", page).read_text()
    assert "&lt;attention&gt;" in text and "<attention>" not in text
    assert "data:audio/wav;base64," in text and "https://" not in text
    assert "found" in text and "false alarm" in text
    assert (tmp_path / "figures" / "clip_cry_a__1.png").exists()


def test_the_figure_has_a_lane_for_the_truth_and_each_detector():
    figure = marked_figure(clip())
    top, bottom = panel_box(3)
    boxes = [axes.get_position() for axes in figure.axes if axes.get_position().width > 0.5]
    assert len(boxes) == 4
    assert 1 - max(box.y1 for box in boxes) == pytest.approx(top)
    assert 1 - min(box.y0 for box in boxes) == pytest.approx(bottom)
