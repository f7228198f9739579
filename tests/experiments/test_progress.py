import sys

import pytest

from experiments import progress
from experiments.progress import Progress


def test_without_a_terminal_there_are_plain_lines(capsys, monkeypatch):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0)
    with Progress("fan", 10) as bar:
        bar.update(4, "loss 1.25")
    out = capsys.readouterr().out
    assert "fan: step 4/10  loss 1.25" in out and "steps/s" in out and "s left" in out
    assert "\r" not in out


def test_lines_are_not_too_many(capsys):
    with Progress("fan", 1000) as bar:
        for done in range(1000):
            bar.update(done + 1)
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_the_end_is_said_once(capsys, monkeypatch):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0)
    with Progress("fan", 2) as bar:
        bar.update(1)
        bar.update(2)
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_on_a_terminal_there_is_a_bar(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with Progress("fan", 10) as bar:
        bar.update(10, "loss 1.25")
    captured = capsys.readouterr()
    assert "100%" in captured.err and "loss 1.25" in captured.err and captured.out == ""


def test_a_failed_task_does_not_claim_its_end(capsys):
    with pytest.raises(RuntimeError), Progress("fan", 10) as bar:
        bar.update(3)
        raise RuntimeError
    assert capsys.readouterr().out == ""


def test_a_resumed_task_says_so(capsys):
    for done in (0, 4, 10):
        Progress("fan", 10, done=done)
    assert capsys.readouterr().out == "fan: goes on from step 4/10\n"


def test_a_resumed_task_counts_its_rate_from_where_it_began(capsys, monkeypatch):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0)
    clock = iter([0.0, 2.0, 2.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock, 2.0))
    with Progress("fan", 10, done=6) as bar:
        bar.update(8)
    assert "1.0 steps/s  2 s left" in capsys.readouterr().out
