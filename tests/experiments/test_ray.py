"""A sweep on a local Ray, as a person runs it."""

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from experiments.errors import ConfigError
from experiments.sweep import launch_on_ray
from scoring.rows import read_scores

on_ray = pytest.importorskip("experiments.on_ray", reason="Ray is not installed")

ROOT = Path(__file__).parents[2]
CONFIG = """
from configs import gmade_idnn


def get_config():
    config = gmade_idnn.get_config()
    config.data.source = "folder"
    config.model.hidden, config.model.num_components = (16, 8, 16), 2
    config.train.num_epochs, config.train.batch_size = {num_epochs}, 32
    config.train.steps_per_call, config.train.checkpoint_every_steps = 4, 20
    return config


def sweep():
    for name in {names}:
        yield {{"name": name, "train.learning_rate": 1e30 if name == "wild" else 1e-3}}
"""


def sweep(tmp_path, clips, *arguments, num_epochs, names):
    config = tmp_path / "mine.py"
    config.write_text(CONFIG.format(num_epochs=num_epochs, names=names))
    return subprocess.Popen(
        [
            *(sys.executable, "-u", "-m", "experiments.sweep", "--launcher=ray"),
            *(f"--config={config}", f"--workdir={tmp_path / 'sweep'}"),
            *(f"--config.data.root={clips}", f"--config.data.cache_dir={tmp_path / 'cache'}"),
            *arguments,
        ],
        cwd=ROOT,
        env={**os.environ, "JAX_NUM_CPU_DEVICES": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def worker_in(folder):
    """The process that writes a point's log, once the point has a checkpoint."""
    if not any(each.name.isdigit() for each in folder.glob("pump/checkpoints/*")):
        return None
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "fd" / "1").readlink() == folder / "log_0.txt":
                return int(process.name)
        except OSError:
            continue
    return None


@pytest.mark.parametrize(
    "text, resources",
    [
        ("GPU=1,CPU=4", {"GPU": 1.0, "CPU": 4.0}),
        ("TPU-v5p-16-head=0.5", {"TPU-v5p-16-head": 0.5}),
        ("", None),
    ],
)
def test_what_a_point_needs_is_read(text, resources):
    needs = on_ray.Needs.parse(text, 2, "", 5)
    assert needs == on_ray.Needs(resources, 2, "", 5)


@pytest.mark.parametrize("text", ["GPU", "GPU=one", "GPU=1=2"])
def test_needs_that_make_no_sense_are_named(text):
    with pytest.raises(ConfigError, match="must be such as GPU=1,CPU=4"):
        on_ray.Needs.parse(text)


def test_without_ray_the_launcher_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "experiments.on_ray")
    with pytest.raises(ConfigError, match=r'--launcher=ray: .*pip install -e "\.\[sweep\]"'):
        launch_on_ray([], Path("sweep"))


def wait_for(find, process, seconds=240):
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        if found := find():
            return found
        time.sleep(0.02)
    process.kill()
    pytest.fail("\n".join(process.communicate()))


def test_a_point_goes_on_from_its_checkpoint_when_its_worker_is_killed(tmp_path, clips):
    process = sweep(tmp_path, clips, num_epochs=30, names=["one", "another", "wild"])
    folder = tmp_path / "sweep" / "points" / "one_seed_0"
    os.kill(wait_for(lambda: worker_in(folder), process), signal.SIGKILL)
    out, err = process.communicate(timeout=300)
    assert "one, seed 0: worker lost (WorkerCrashedError); again from its last checkpoint" in out
    # A point that cannot be run is named at the end, and the others are run.
    assert process.returncode == 2 and err.startswith("error: wild, seed 0: the loss is")
    assert len(err.splitlines()) == 1
    assert "pump: goes on from step" in (folder / "log_0.txt").read_text()
    table = csv.DictReader((tmp_path / "sweep" / "sweep.csv").read_text().splitlines())
    overall = [row["name"] for row in table if row["machine"] == row["id"] == "average"]
    assert overall == ["one", "another"]
    # Two points of one config: killed or not, they come to the same.
    killed, spared = (
        read_scores(tmp_path / "sweep" / "points" / name / "scores.csv")
        for name in ("one_seed_0", "another_seed_0")
    )
    assert killed == spared


def test_two_hosts_share_a_point(tmp_path, clips):
    process = sweep(tmp_path, clips, "--num_hosts=2", num_epochs=2, names=["one"])
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    folder = tmp_path / "sweep" / "points" / "one_seed_0"
    assert "[1/1] one, seed 0: done" in out and (folder / "report.html").exists()
    main, other = ((folder / f"log_{host}.txt").read_text() for host in (0, 1))
    # Both train, and one reports.
    assert "scoring" in main and "scoring" in other
    assert "AUC" in main and "AUC" not in other
