"""The command as a person runs it: in its own process."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import orbax.checkpoint as ocp
import pytest

ROOT = Path(__file__).parents[2]
SMALL = (
    "--config.data.source=folder",
    "--config.model.hidden=(16,8,16)",
    "--config.model.num_components=2",
    "--config.train.batch_size=32",
    "--config.train.steps_per_call=4",
    "--config.train.log_every_steps=20",
    "--config.train.checkpoint_every_steps=20",
)


def command(*arguments, config="configs/gmade_idnn.py", module="experiments.run"):
    options = [f"--config={config}"] if config else []
    return [sys.executable, "-u", "-m", module, *options, *arguments]


def start(*arguments, devices=1, **kwargs):
    # Compiled as the command's programs are, unlike those of other tests.
    environment = {**os.environ, "JAX_NUM_CPU_DEVICES": str(devices), "XLA_FLAGS": ""}
    return subprocess.Popen(
        command(*arguments, **kwargs),
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(*arguments, **kwargs):
    process = start(*arguments, **kwargs)
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


def on(clips, tmp_path, *more):
    cache = f"--config.data.cache_dir={tmp_path / 'cache'}"
    return *SMALL, f"--config.data.root={clips}", cache, *more


def checkpoint(workdir):
    manager = ocp.CheckpointManager((workdir / "pump" / "checkpoints").absolute())
    step = manager.latest_step()
    return step, manager.restore(step, args=ocp.args.StandardRestore())


def leaves(tree, path=""):
    if isinstance(tree, dict | list | tuple):
        items = tree.items() if isinstance(tree, dict) else enumerate(tree)
        for key, value in items:
            yield from leaves(value, f"{path}/{key}")
    elif tree is not None:
        yield path, np.asarray(tree)


@pytest.mark.parametrize("module", ["experiments.run", "experiments.sweep"])
def test_help_answers_without_jax_or_tensorflow(module):
    help_me = [sys.executable, "-X", "importtime", *command("--help", module=module)[2:]]
    done = subprocess.run(help_me, cwd=ROOT, capture_output=True, text=True)
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert "ml_collections" in imported and not {"jax", "tensorflow"} & imported
    assert "--config.data.root=DIR" in done.stdout and "--workdir" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--config.train.num_epoch=3",), "num_epoch"),
        (("--config.train.num_epochs=many",), "many"),
        (("--wrokdir=x",), "wrokdir"),
        (("surplus",), "surplus"),
    ],
)
def test_a_mistyped_command_is_one_line_and_status_2(arguments, says):
    status, _, err = finish(*arguments)
    assert status == 2
    assert says in err and err.startswith("error: ") and err.count("\n") == 1


def test_a_config_that_is_not_there_is_one_line_and_status_2():
    status, _, err = finish(config="configs/nothing.py")
    assert status == 2 and "configs/nothing.py" in err and err.count("\n") == 1
    status, _, err = finish(config=None)
    assert status == 2 and "--config=" in err and err.count("\n") == 1


def test_the_points_of_a_sweep_are_listed(tmp_path):
    arguments = "--list", f"--workdir={tmp_path / 'sweep'}", "--config.seed=4"
    sweep = {"config": "configs/ablate_mixtures.py", "module": "experiments.sweep"}
    status, out, err = finish(*arguments, **sweep)
    assert status == 0, err
    lines = out.splitlines()
    assert len(lines) == 18 and all(line.startswith("to do") for line in lines)
    assert "C = 10, seed 2" in out and not (tmp_path / "sweep").exists()


def test_a_sweep_of_a_config_without_one_is_one_line_and_status_2():
    status, _, err = finish(module="experiments.sweep")
    assert status == 2 and "gmade_idnn.py defines no sweep()" in err and err.count("\n") == 1


def test_a_missing_root_is_one_line_and_status_2(tmp_path):
    missing = tmp_path / "nowhere"
    status, _, err = finish(*on(missing, tmp_path, f"--workdir={tmp_path / 'run'}"))
    assert status == 2 and str(missing) in err and err.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_killed_twice_and_started_again_ends_bit_for_bit_the_same(tmp_path, clips):
    def arguments(name):
        return on(clips, tmp_path, "--config.train.num_epochs=40", f"--workdir={tmp_path / name}")

    status, out, err = finish(*arguments("whole"))
    assert status == 0, err
    assert "report.html" in out.splitlines()[-5] + out.splitlines()[-4]
    assert "--config.data.root=DIR" in out
    for steps in (60, 200):
        process = start(*arguments("killed"))
        metrics = tmp_path / "killed" / "pump" / "metrics.jsonl"
        deadline = time.monotonic() + 300
        while not (metrics.exists() and f'"step": {steps},' in metrics.read_text()):
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert not (tmp_path / "killed" / "report.html").exists()
    status, out, err = finish(*arguments("killed"))
    assert status == 0, err
    resumed_at = int(re.search(r"pump: step (\d+)/", out).group(1))
    assert resumed_at > 60
    (step, whole), (other, killed) = checkpoint(tmp_path / "whole"), checkpoint(tmp_path / "killed")
    assert step == other == 40 * 7
    for (path, one), (same, two) in zip(leaves(whole), leaves(killed), strict=True):
        assert path == same and np.array_equal(one, two), path
    files = ("scores.csv", "results.csv", "pump/metrics.jsonl")
    for name in files:
        assert (tmp_path / "whole" / name).read_text() == (tmp_path / "killed" / name).read_text()


def test_two_processes_train_together_and_leave_one_set_of_results(tmp_path, clips):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = on(clips, tmp_path, "--config.train.num_epochs=10", f"--workdir={tmp_path / 'two'}")
    cluster = (f"--coordinator=127.0.0.1:{port}", "--num_processes=2")
    pair = [start(*arguments, *cluster, f"--process_id={i}", devices=2) for i in range(2)]
    said = [process.communicate(timeout=300) for process in pair]
    assert [process.returncode for process in pair] == [0, 0], said
    assert "Report:" in said[0][0] and "Report:" not in said[1][0]
    rows = (tmp_path / "two" / "scores.csv").read_text().splitlines()
    assert len(rows) == 1 + 2 * (6 + 4 + 4)
    last = (tmp_path / "two" / "results.csv").read_text().splitlines()[-1]
    assert float(last.split(",")[2]) > 0.95
