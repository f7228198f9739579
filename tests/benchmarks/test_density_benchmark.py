import json
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks import contestants, density, roofline
from benchmarks.contestants import CAUSAL, NUM_MELS, Task
from benchmarks.timing import STATUS, in_turns

TINY = Task(hidden=(24, 16), num_components=2, batch_size=4)
# Wide enough for numpyro, of one width for nflows and flowjax.
PEER_TASK = Task(hidden=(640, 640), num_components=2, batch_size=4)
NO_MEMORY = ["--no-memory", "--seconds", "0", "--repeats", "1"]
SIZES = ["--hidden", "24,16", "--components", "2", "--batch", "4"]


def whole_layer(blocks, num_rows):
    """A layer's weights side by side, with zeros for the rows its blocks do not read."""
    columns = [
        np.zeros((num_rows, *each["b"].shape))
        if "w" not in each
        else np.pad(each["w"], [(0, num_rows - len(each["w"]))] + [(0, 0)] * each["b"].ndim)
        for each in blocks
    ]
    return np.concatenate(columns, axis=-1), np.concatenate([e["b"] for e in blocks], axis=-1)


def components_last(array):
    """(..., 3, C, bins) to (..., bins * 3 * C)."""
    moved = np.moveaxis(array, -1, -3)
    return moved.reshape(*moved.shape[:-3], -1)


def as_dense(params, hidden):
    rows = [contestants.NUM_BINS, *hidden]
    layers = params["trunk"]["layers"]
    dense = [whole_layer(layer, n) for layer, n in zip(layers, rows[:-1], strict=True)]
    w, b = whole_layer(params["head"], rows[-1])
    dense.append((components_last(w), components_last(b)))
    return [{"w": jnp.float32(w), "b": jnp.float32(b)} for w, b in dense]


@pytest.mark.parametrize("hidden", [(24, 16), (300, 400, 30)], ids=str)
def test_the_dense_oracle_is_the_causal_density(hidden):
    task = TINY._replace(hidden=hidden)
    ours = contestants.group_density(task, CAUSAL)
    params = jax.tree.map(lambda p: p + 0.05, ours.init(jax.random.key(0)))
    x = jnp.asarray(task.batches()[0])
    dense = partial(contestants.dense_log_prob, masks=contestants.dense_masks(task), x=x)
    np.testing.assert_allclose(
        jax.jit(ours.log_prob)(params, x),
        jax.jit(dense)(as_dense(params, hidden)),
        rtol=1e-5,
        atol=1e-6,
    )


def test_the_windows_are_standard_normal_and_correlated():
    x = Task((8,), 1, 256).batches().reshape(-1, contestants.NUM_BINS)
    assert x.dtype == np.float32
    assert abs(x.mean()) < 0.05
    assert abs(x.std() - 1) < 0.05
    assert abs(np.mean(x[:, 0] * x[:, -1]) - 0.36) < 0.1


@pytest.mark.parametrize(
    "name", [name for name, entry in density.ENTRIES.items() if not entry.libraries]
)
def test_our_contestants_learn(name):
    check_learns(name, TINY)


@pytest.mark.parametrize(
    "name", [name for name, entry in density.ENTRIES.items() if entry.libraries]
)
def test_peers_learn(name):
    for library in density.ENTRIES[name].libraries:
        pytest.importorskip(library)
    check_learns(name, PEER_TASK)


def check_learns(name, task):
    contestant = density.ENTRIES[name].build(task)
    losses = [contestant.train() for _ in range(3)]
    assert losses[-1] < losses[0]
    scores = contestant.score()
    assert scores.shape == (task.batch_size,)
    assert scores.dtype == np.float32
    num_bins = NUM_MELS if name == "gmade_idnn" else contestants.NUM_BINS
    assert -scores.mean() / num_bins == pytest.approx(losses[-1], abs=0.5)


def test_json_has_one_figure_a_line(capsys):
    density.main(["--only", "gmade_idnn,dense_oracle", "--json", *SIZES, *NO_MEMORY])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all(set(row) == {"name", "metric", "value", "unit"} for row in rows)
    figures = {(row["name"], row["metric"]): row["value"] for row in rows}
    for name in ("gmade_idnn", "dense_oracle"):
        assert figures[name, "train_samples_per_s"] > 0
        assert figures[name, "score_samples_per_s"] > 0
    assert figures["dense_oracle", "params"] == 641 * 24 + 25 * 16 + 17 * 640 * 6


def test_the_table_has_a_line_for_each_contestant(capsys):
    density.main(["--only", "gmade_causal,gmade_gaussian", *SIZES, *NO_MEMORY])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[-2:]] == ["gmade_causal", "gmade_gaussian"]


def test_who_cannot_run_is_left_out_and_said(monkeypatch, capsys):
    def refuse(task):
        raise ValueError("too narrow")

    monkeypatch.setitem(density.ENTRIES, "zuko", density.Entry(refuse))
    missing = density.Entry(refuse, ("no_such_library",))
    monkeypatch.setitem(density.ENTRIES, "numpyro", missing)
    density.main(["--only", "gmade_idnn,zuko,numpyro", "--json", *SIZES, *NO_MEMORY])
    printed = capsys.readouterr()
    assert "zuko: does not run with these sizes: too narrow" in printed.err
    assert "numpyro: not installed" in printed.err
    assert {json.loads(line)["name"] for line in printed.out.splitlines()} == {"gmade_idnn"}


def test_an_unknown_contestant_is_refused(capsys):
    with pytest.raises(SystemExit):
        density.main(["--only", "gmade_causal,germain"])
    assert "no contestant germain" in capsys.readouterr().err


@pytest.mark.skipif(not STATUS.exists(), reason="the memory of a process is read from /proc")
def test_peak_memory_counts_the_parameters_and_adams_moments():
    (row,) = density.measure_memory(["dense_oracle"], Task((640,), 10, 4))
    weights = 641 * 640 + 641 * 640 * 30
    assert 3 * 4 * weights < row["value"] < 2e9


def test_turns_go_round():
    calls = []
    ways = {name: lambda name=name: calls.append(name) for name in "ab"}
    rates = in_turns(ways, seconds=0, repeats=2)
    assert "".join(calls) == "ababab"
    assert {name: len(figures) for name, figures in rates.items()} == {"a": 2, "b": 2}


def test_the_weights_a_step_needs():
    case = roofline.Case(CAUSAL, roofline.ALL, (4, 4))
    # Units see 1, 2, 3, 4 frames; five frames read 0, 1, 2, 3, 4 units of the last layer.
    assert roofline.needed_weights(case) == [10 * NUM_MELS, 10, 10 * NUM_MELS * 30]
    assert roofline.step_flops([5, 3], batch_size=2) == 4 * (2 * 5 + 3 * 3)


@pytest.mark.parametrize("name", roofline.CASES)
def test_no_needed_weight_is_left_out_of_the_products(name):
    case = roofline.CASES[name]
    needed, multiplied = roofline.needed_weights(case), roofline.multiplied_weights(case)
    assert all(n <= m for n, m in zip(needed, multiplied, strict=True))


def test_the_roofline_prints_its_figures(monkeypatch, capsys):
    monkeypatch.setattr(roofline, "MATMUL_SIZES", (32,))
    monkeypatch.setattr(roofline, "COPY_BYTES", 2**12)
    cases = {"gmade_idnn": roofline.CASES["gmade_idnn"]._replace(hidden=(16, 16))}
    monkeypatch.setattr(roofline, "CASES", cases)
    roofline.main(["--batch", "4", "--seconds", "0", "--repeats", "1", "--json"])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    figures = {(row["name"], row["metric"]): row["value"] for row in rows}
    assert {name for name, _ in figures} == {"matmul", "copy", "gmade_idnn"}
    assert all(value > 0 for value in figures.values())
