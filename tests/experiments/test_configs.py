import importlib
import time
from collections import Counter
from pathlib import Path

import pytest

from experiments.ensemble import run_ensemble, whole_config
from experiments.experiment import run
from experiments.methods import build
from experiments.points import points
from scoring.rows import read_scores

CONFIGS = sorted(
    path.stem
    for path in (Path(__file__).parents[2] / "configs").glob("*.py")
    if path.stem not in ("__init__", "defaults", "ensembles")
)


# Classifiers take long to compile: one is run, and of the others, as of ensembles of several
# members, it is seen that they can be built.
BUILT = [name for name in CONFIGS if name.startswith(("ssl", "system", "best"))]
BUILT.remove("system4")
SWEEPS = [name for name in CONFIGS if name.startswith("ablate")]
# These have vectors instead of clips, mixtures or streams instead of machines, no results of their
# own, or need weights; or they differ in settings alone from one that is run. A test file named
# after the method trains and scores them all, such as test_detection.py.
OTHERS = {"made_binary", "study", "panns", "vggish", "vidnn", "fc_autoencoder", "fc_vae"}
OTHERS |= {"attention", "rcrnn", "detection", "detection_baseline", "detectors"}
OTHERS |= {"media", "tritrain"}
RUN = [name for name in CONFIGS if name not in {*BUILT, *SWEEPS, *OTHERS}]


@pytest.mark.parametrize("name", RUN)
def test_every_method_takes_a_step_and_finds_the_planted_fault(tmp_path, clips, tiny, name):
    config = tiny(name)
    run_it = run_ensemble if config.method == "ensemble" else run
    report = run_it(config, tmp_path / "run", time.monotonic())
    assert "pump" in report.read_text()
    last = (tmp_path / "run" / "results.csv").read_text().splitlines()[-1]
    # Two steps teach nothing about where codes lie.
    assert float(last.split(",")[2]) > (0 if name == "fc_encoder" else 0.9)


@pytest.mark.parametrize("name", BUILT)
def test_every_classifier_and_ensemble_can_be_built(name):
    config = importlib.import_module(f"configs.{name}").get_config()
    members = config.members.values() if config.method == "ensemble" else [config]
    for member in members:
        whole = whole_config(member, config)
        assert build(whole, 3).loss is not None
        middle = whole.window.num_frames // 2
        if whole.method == "ssl":
            assert whole.window.num_frames == 64
        else:
            assert whole.model.train_frames == whole.model.score_frames == (middle,)


@pytest.mark.parametrize("name", SWEEPS)
def test_every_point_of_a_sweep_can_be_built_with_three_seeds(name):
    """`points` builds them."""
    module = importlib.import_module(f"configs.{name}")
    every = points(module.get_config(), module.sweep())
    names = Counter(point.name for point in every)
    assert set(names.values()) == {3} and len(names) > 5
    assert {point.config.seed for point in every} == {0, 1, 2}


def test_the_sweeps_ask_what_they_say_they_ask():
    models = {
        name: [
            point.config
            for module in [importlib.import_module(f"configs.{name}")]
            for point in points(module.get_config(), module.sweep())
        ]
        for name in SWEEPS
    }
    mixtures = {config.model.num_components for config in models["ablate_mixtures"]}
    assert mixtures == {0, 1, 2, 5, 10, 20}
    assert {config.window.num_frames for config in models["ablate_network"]} == {3, 5, 7, 9}
    orders = models["ablate_order"]
    named = {c.model.ordering for c in orders if isinstance(c.model.ordering, str)}
    assert named == {"causal", "reversed", "middle_last", "first_last"}
    assert {config.model.use_id for config in orders} == {False, True}
    assert {config.model.grouped for config in orders} == {False, True}


def test_a_classifier_goes_from_clips_to_a_report(tmp_path, clips, tiny):
    config = tiny("ssl_small")
    config.model.speeds, config.model.score = (0.9,), "neighbours"
    report = run(config, tmp_path / "run", time.monotonic())
    page = report.read_text()
    assert "pump" in page and "stretched to speed 0.9" in page
    assert "What augmentation does to a clip" in page
    assert (tmp_path / "run" / "figures" / "picture_01_pump.png").exists()
    rows = read_scores(tmp_path / "run" / "scores.csv")
    assert len(rows) == len({(row.split, row.name) for row in rows}) == 2 * (6 + 4 + 4)
    assert (tmp_path / "run" / "results.csv").exists()


def test_the_report_system_is_as_published():
    from configs import gmade_idnn

    config = gmade_idnn.get_config()
    assert config.model.hidden == (128, 128, 128, 128, 32, 128, 128, 128, 128)
    assert config.model.num_components == 10
    assert (config.window.num_frames, config.logmel.num_mels) == (5, 128)
    assert config.train.learning_rate == 1e-3 and not config.model.use_id


def test_the_same_settings_compile_once():
    from configs import gmade_idnn

    assert build(gmade_idnn.get_config(), 3) is build(gmade_idnn.get_config(), 3)
    assert build(gmade_idnn.get_config(), 3) is not build(gmade_idnn.get_config(), 4)
