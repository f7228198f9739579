"""Costs: a line a machine, written and read back, and their means."""

from pathlib import Path

import pytest

from scoring.costs import Cost, average, duration, fit_total, read_costs, write_costs

FAN = Cost("fan", 1000, 30.0, 2.0, 0.5)
PUMP = Cost("pump", 3001, 60.5, 4.0, 1.5)


def test_costs_are_read_back_as_they_were_written(tmp_path: Path):
    costs = [FAN, Cost("pump", 7, None, 1 / 3, 0.1)]
    assert read_costs(write_costs(tmp_path / "costs.csv", costs)) == costs


def test_the_table_says_what_an_hour_costs_and_leaves_out_what_is_not_known(tmp_path: Path):
    path = write_costs(tmp_path / "costs.csv", [FAN, Cost("pump", 7, None, 1.0, 0.0)])
    assert path.read_text().splitlines() == [
        "machine,parameters,fit_seconds,score_seconds,hours_scored,score_seconds_per_hour",
        "fan,1000,30.0,2.0,0.5,4.0",
        "pump,7,,1.0,0.0,",
    ]


def test_a_run_without_a_table_has_no_costs(tmp_path: Path):
    assert read_costs(tmp_path / "costs.csv") == []


@pytest.mark.parametrize(
    "text",
    ["machine,parameters\nfan,3\n", "a,b\nc,d\n", "\xff", "machine,parameters,fit_seconds\nfan"],
)
def test_what_is_no_table_of_costs_is_one_line_that_names_it(tmp_path: Path, text: str):
    path = tmp_path / "costs.csv"
    path.write_text("machine,parameters,fit_seconds,score_seconds,hours_scored\n" + text)
    with pytest.raises(ValueError, match=r"costs\.csv: not a table of costs") as caught:
        read_costs(path)
    assert "\n" not in str(caught.value)


def test_the_average_is_over_machines_and_of_scoring_over_hours():
    mean = average([FAN, PUMP])
    assert mean is not None
    assert (mean.machine, mean.parameters, mean.fit_seconds) == ("average", 2000, 45.25)
    assert mean.score_seconds_per_hour == (2 + 4) / (0.5 + 1.5)
    assert average([]) is None


def test_one_unknown_fit_makes_the_total_unknown():
    unknown = Cost("valve", 1, None, 1.0, 1.0)
    assert fit_total([FAN, PUMP]) == 90.5
    assert fit_total([FAN, unknown]) is None
    mean = average([FAN, unknown])
    assert mean is not None and mean.fit_seconds is None and mean.score_seconds == 1.5
    assert fit_total([]) is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "\N{EN DASH}"),
        (0.0, "0.0 s"),
        (8.0, "8.0 s"),
        (0.0421, "0.042 s"),
        (3.25, "3.2 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (188.0, "3 min 8 s"),
        (3599.7, "1 h 0 min"),
        (7501.0, "2 h 5 min"),
        (4.5e6, "1,250 h 0 min"),
    ],
)
def test_durations_in_words(seconds: float | None, text: str):
    assert duration(seconds) == text
