"""The page of a detector of media: what it says, and what it shows of a stream."""

import numpy as np
import pytest

from scoring.media_page import Page, Snippet, error_rate, headline, write_page, write_snippets
from scoring.media_plots import StreamView, stream_figure


def snippets(labels, scores):
    return [
        Snippet("a.flac", 5.0 * i, 5.0 * i + 5, float(label), label, score)
        for i, (label, score) in enumerate(zip(labels, scores, strict=True))
    ]


def view(**changes):
    logmel = np.random.default_rng(0).normal(-40, 6, (40, 16))
    facts = dict(
        name="a.flac",
        logmel=logmel,
        hop_seconds=0.25,
        mel_hz=np.linspace(100, 4000, 16),
        passages=[(0.0, 6.0, "live"), (6.0, 10.0, "media")],
        probabilities=np.array([0.2, 0.9]),
        snippet_seconds=5.0,
        audio=b"fLaC",
    )
    return StreamView(**{**facts, **changes})


def test_the_error_rate_is_over_snippets():
    assert error_rate(snippets((0, 0, 1, 1), (0.1, 0.6, 0.4, 0.9))) == pytest.approx(0.5)
    assert error_rate(snippets((0, 1), (0.1, 0.9))) == 0
    assert error_rate(snippets((1, 1), (0.1, 0.9))) is None


def test_the_page_needs_no_other_file(tmp_path):
    rows = snippets((0, 0, 1, 1), (0.1, 0.6, 0.4, 0.9))
    curve = [{"step": 1, "loss": 0.7}, {"step": 2, "loss": 0.5}]
    facts = {"Wall time": "<1 s"}
    page = Page("run: media or live", rows, "middle", curve, [view()], "{}", facts)
    text = write_page(tmp_path / "report.html", page).read_text()
    assert "Equal error rate 50.0%" in text and "data:audio/flac;base64,ZkxhQw==" in text
    assert "&lt;1 s" in text and "http" not in text.replace("http-equiv", "").replace("w3.org", "")
    names = {path.name for path in (tmp_path / "figures").iterdir()}
    assert names == {"det.svg", "probabilities.svg", "training.svg", "stream_a.flac.png"}


def test_snippets_of_one_kind_have_no_error_rate(tmp_path):
    page = Page("run", snippets((1, 1), (0.1, 0.9)), "none")
    assert "no equal error rate" in headline(page)
    text = write_page(tmp_path / "report.html", page).read_text()
    assert "Test streams" not in text
    assert {path.name for path in (tmp_path / "figures").iterdir()} == {"probabilities.svg"}


def test_the_playhead_lies_over_the_panels():
    figure = stream_figure(view())
    boxes = [axes.get_position() for axes in figure.axes[:3]]
    from scoring.media_plots import BOTTOM, LEFT, TOP, WIDTH

    assert {(round(box.x0, 3), round(box.width, 3)) for box in boxes} == {(LEFT, WIDTH)}
    assert max(box.y1 for box in boxes) == pytest.approx(TOP)
    assert min(box.y0 for box in boxes) == pytest.approx(BOTTOM)


def test_snippets_on_disk(tmp_path):
    text = write_snippets(tmp_path / "snippets.csv", snippets((1,), (0.25,))).read_text()
    assert text == "stream,onset,offset,media_share,label,score\na.flac,0.0,5.0,1.0,1,0.25\n"
