import json

import pytest

from benchmarks import full_training, pipeline, population, training

TINY = ["--clips", "1", "--seconds", "0", "--repeats", "1", "--steps-per-call", "2", "--json"]


@pytest.fixture(autouse=True)
def small_network(monkeypatch):
    original = training.get_config

    def get_config(name):
        config = original(name)
        config.model.hidden, config.model.num_components = (8,), 2
        return config

    for module in (full_training, pipeline, population):
        monkeypatch.setattr(module, "get_config", get_config)


def figures(main, arguments, capsys):
    main(arguments)
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all(set(row) == {"name", "metric", "value", "unit"} for row in rows)
    return {(row["name"], row["metric"]): row["value"] for row in rows}


def test_every_way_to_feed_a_step_is_timed(capsys):
    found = figures(pipeline.main, TINY, capsys)
    assert {name for name, _ in found} == {"random", "resident", "streamed"}
    assert found["random", "ratio"] == 1
    assert all(value > 0 for value in found.values())


def test_populations_are_timed_against_one_after_another(capsys):
    found = figures(population.main, [*TINY, "--members", "2,3", "--batch", "64"], capsys)
    assert {name for name, _ in found} == {"alone_2", "together_2", "alone_3", "together_3"}
    ratio = found["together_2", "steps_per_s"] / found["alone_2", "steps_per_s"]
    assert found["together_2", "ratio"] == pytest.approx(ratio)


def test_all_ways_train_the_same_windows(capsys):
    (member,) = training.made_up_members(pipeline.get_config("gmade_idnn"), 1, 2)
    ways = pipeline.ways(member)
    assert ways["resident"]() == pytest.approx(ways["streamed"](), rel=1e-5)


def test_a_whole_training_is_timed(capsys):
    sizes = ["--machines", "2", "--clips", "2", "--epochs", "2", "--batch", "64", "--json"]
    full_training.main(sizes)
    seconds, rate = map(json.loads, capsys.readouterr().out.splitlines()[-2:])
    steps_per_epoch = 2 * 309 // 64
    assert rate["value"] * seconds["value"] == pytest.approx(2 * 2 * steps_per_epoch * 64)
