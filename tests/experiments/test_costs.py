import csv
import json
import time
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from audio.windows import find_windows
from experiments import costs, judge, score
from experiments.batches import Batches
from experiments.costs import Stopwatch, TrainTime, num_parameters, train_seconds
from experiments.experiment import run
from experiments.method import Method
from experiments.methods import build
from experiments.track import Member
from experiments.train import train
from scoring.costs import read_costs

FRAMES = np.random.default_rng(0).normal(-30, 5, (400, 128)).astype(np.float32)


class Clock:
    """A clock that the test moves."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(costs.time, "perf_counter", clock)
    return clock


class SlowBatches(Batches):
    """Every step takes ten seconds of the test's clock; from a step on, its power is cut."""

    def chosen(self, first, num_steps):
        if first >= getattr(self, "cut", np.inf):
            raise KeyboardInterrupt
        self.clock.now += 10 * num_steps
        return super().chosen(first, num_steps)


def member(config, workdir, clock, num_clips=20):
    """A model of 16 windows a clip, in batches of 64; checkpoints are every 4 steps."""
    frames = FRAMES[: 20 * num_clips]
    windows = find_windows(frames, np.arange(0, len(frames) + 1, 20), 5, 1)
    batches = SlowBatches(windows, np.arange(num_clips) % 2, 64, 0)
    batches.clock = clock
    return Member(workdir.name, build(config, 2), batches, config, workdir)


def lines(workdir):
    text = (workdir / costs.FILE).read_text()
    return [(row["step"], row["seconds"]) for row in map(json.loads, text.splitlines())]


def test_a_stopwatch_runs_only_within():
    watch, clock = Stopwatch(), time.perf_counter
    started = clock()
    with watch:
        time.sleep(0.02)
    time.sleep(0.02)
    with watch:
        time.sleep(0.02)
    assert 0.04 <= watch.seconds < clock() - started - 0.02


def test_the_time_of_a_training_is_kept_at_every_checkpoint(tmp_path, tiny, clock):
    train([member(tiny(), tmp_path, clock)])  # ten steps
    assert [step for step, _ in lines(tmp_path)] == [4, 8, 10]
    assert lines(tmp_path)[-1] == (10, 100.0)
    assert train_seconds(tmp_path) == 100.0


def test_a_killed_training_counts_up_to_its_last_checkpoint(tmp_path, tiny, clock):
    first = member(tiny(), tmp_path, clock)
    first.batches.cut = 6
    with pytest.raises(KeyboardInterrupt):
        train([first])
    spent = train_seconds(tmp_path)
    assert 40.0 <= spent <= 60.0 and lines(tmp_path)[-1][0] == 4
    clock.now += 1000  # the night in between
    train([member(tiny(), tmp_path, clock)])
    assert train_seconds(tmp_path) == spent + 60.0


def test_a_finished_training_takes_no_more_time(tmp_path, tiny, clock):
    train([member(tiny(), tmp_path, clock)])
    before = lines(tmp_path)
    train([member(tiny(), tmp_path, clock)])
    assert lines(tmp_path) == before


def test_models_trained_together_share_the_time_evenly(tmp_path, tiny, clock):
    """The shorter one pays for half of its own steps, and for none after them."""
    short = member(tiny(), tmp_path / "short", clock, num_clips=12)  # three steps an epoch
    long = member(tiny(), tmp_path / "long", clock)
    train([short, long])
    assert (short.num_steps, long.num_steps) == (6, 10)
    half, whole = dict(lines(tmp_path / "short")), dict(lines(tmp_path / "long"))
    assert half[4] == whole[4] and half[6] > half[4]
    assert whole[10] - whole[4] > 2 * (half[6] - half[4])
    assert half[6] + whole[10] == clock.now


def test_what_comes_after_the_checkpoint_a_run_resumes_from_is_dropped(tmp_path):
    first = TrainTime(tmp_path, 0)
    for step in (4, 8):
        first.add(5.0)
        first.keep(step)
    again = TrainTime(tmp_path, 4)
    assert again.seconds == 5.0
    again.add(1.0)
    again.keep(8)
    assert lines(tmp_path) == [(4, 5.0), (8, 6.0)]
    assert TrainTime(tmp_path, 0).seconds == 0.0


def test_a_checkpoint_whose_time_nobody_took_leaves_it_unknown(tmp_path):
    assert train_seconds(tmp_path) == 0.0  # nothing was trained
    (tmp_path / "checkpoints" / "4").mkdir(parents=True)
    assert np.isnan(train_seconds(tmp_path))
    later = TrainTime(tmp_path, 4)
    later.add(3.0)
    later.keep(8)
    assert np.isnan(train_seconds(tmp_path))


def test_parameters_are_what_the_optimiser_moves(tiny):
    method = build(tiny(), 2)
    window = {"x": np.zeros((1, 5, 128), np.float32), "id": np.zeros(1, np.int32)}
    moments = {"mean": np.zeros(128, np.float32), "std": np.ones(128, np.float32)}
    variables = method.init(jax.random.key(0), {**window, **moments})
    by_hand = sum(np.asarray(leaf).size for leaf in jax.tree.leaves(variables["params"]))
    assert num_parameters(variables) == by_hand > 1000
    frozen = {"params": {"w": np.zeros((3, 4)), "b": np.zeros(())}, "stats": np.zeros(99)}
    assert num_parameters(frozen) == 13


@pytest.fixture
def finished(tmp_path, clips, tiny):
    run(tiny(), tmp_path / "run", time.monotonic())
    return tmp_path / "run"


def test_an_experiment_leaves_its_costs(finished):
    (cost,) = read_costs(finished / "costs.csv")
    assert cost.machine == "pump" and cost.parameters > 1000
    assert cost.fit_seconds is not None and cost.fit_seconds > train_seconds(finished / "pump") > 0
    frames = 2 * (6 + 4 + 4) * 24
    assert cost.hours_scored == pytest.approx(frames * 512 / 16000 / 3600)
    assert 0 < cost.score_seconds < cost.fit_seconds
    with (finished / "costs.csv").open() as file:
        (line,) = csv.DictReader(file)
    per_hour = float(line["score_seconds"]) / float(line["hours_scored"])
    assert float(line["score_seconds_per_hour"]) == pytest.approx(per_hour)


def test_run_again_it_is_not_charged_twice(finished, tiny):
    trained = train_seconds(finished / "pump")
    run(tiny(), finished, time.monotonic())
    (again,) = read_costs(finished / "costs.csv")
    assert again.fit_seconds == pytest.approx(trained, abs=0.01)


def test_a_run_of_an_earlier_version_has_an_unknown_fit(finished, tiny):
    (finished / "pump" / costs.FILE).unlink()
    run(tiny(), finished, time.monotonic())
    (cost,) = read_costs(finished / "costs.csv")
    assert cost.fit_seconds is None and cost.score_seconds > 0


def test_compiling_is_no_part_of_scoring(tmp_path, clips, tiny, monkeypatch):
    """Nor is fitting to the halves by which train clips are scored; of the fit, only the one kept.

    Tracing, fitting and scoring move the clock by amounts that can be told apart.
    """
    clock = Clock()
    monkeypatch.setattr(costs.time, "perf_counter", clock)

    def tick(seconds, function, *args, **kwargs):
        clock.now += seconds
        return function(*args, **kwargs)

    def traced(variables, batch):
        clock.now += 1000
        return batch["x"].mean((1, 2)) + variables["offset"].sum()

    def fit(embeddings, ids):
        clock.now += 10
        return {"offset": np.zeros(len(embeddings) % 7 + 1, np.float32)}

    def stay(variables, key, batch):
        loss = jnp.square(variables["params"]["w"] - 1).sum()
        return loss, (variables, {"loss": loss})

    def init(key, batch):
        return {"params": {"w": jnp.zeros(3)}}

    def explain(variables, batch):
        return batch["x"]

    def embed(variables, batch):
        return batch["x"].mean(1)

    method = Method(init, stay, traced, explain, embed, fit)
    monkeypatch.setattr("experiments.members.build", lambda config, num_ids: method)
    monkeypatch.setattr(judge, "score_clips", partial(tick, 1, score.score_clips))
    run(tiny(), tmp_path / "run", time.monotonic())
    (cost,) = read_costs(tmp_path / "run" / "costs.csv")
    assert cost.parameters == 3
    assert cost.fit_seconds == 10
    assert cost.score_seconds == 3  # two halves of train, and test
