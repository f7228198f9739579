import csv
import json
import time

import numpy as np
import pytest

from audio.clips import DataError
from audio.hall import HallSettings, build_hall
from audio.wav import encode_wav
from experiments.errors import ConfigError
from experiments.experiment import run
from scoring.rows import read_scores


def table(path):
    with path.open() as file:
        return list(csv.DictReader(file))


@pytest.fixture
def finished(tmp_path, clips, tiny):
    workdir = tmp_path / "run"
    run(tiny(), workdir, time.monotonic())
    return workdir


def test_a_run_leaves_every_stage_as_a_plain_file(finished):
    names = {path.name for path in finished.iterdir()}
    assert {"config.json", "scores.csv", "results.csv", "thresholds.csv", "report.html"} <= names
    assert {"anomaly_score_pump_id_00.csv", "anomaly_score_pump_id_01.csv"} <= names
    assert {"checkpoints", "metrics.jsonl", "scores.csv"} <= {
        path.name for path in (finished / "pump").iterdir()
    }


def test_every_clip_is_scored_once_with_its_label(finished):
    rows = read_scores(finished / "scores.csv")
    assert len(rows) == len({(r.split, r.name) for r in rows}) == 2 * (6 + 4 + 4)
    assert all((r.label == 1) == r.name.startswith("anomaly") for r in rows)


def test_a_planted_fault_is_found(finished):
    results = table(finished / "results.csv")
    assert [(r["machine"], r["id"]) for r in results] == [
        ("pump", "00"),
        ("pump", "01"),
        ("pump", "average"),
        ("average", "average"),
    ]
    assert float(results[-1]["auc"]) > 0.95


def test_the_loss_falls(finished):
    lines = (finished / "pump" / "metrics.jsonl").read_text().splitlines()
    losses = [json.loads(line)["loss"] for line in lines]
    assert losses[-1] < losses[0]


def test_submissions_are_in_the_challenges_format(finished):
    lines = (finished / "anomaly_score_pump_id_01.csv").read_text().splitlines()
    assert len(lines) == 8
    name, score = lines[0].split(",")
    assert name == "anomaly_id_01_00000000.npy" and np.isfinite(float(score))


def test_again_on_the_same_workdir_changes_nothing(finished, tiny):
    before = (finished / "scores.csv").read_bytes()
    report = run(tiny(), finished, time.monotonic())
    assert (finished / "scores.csv").read_bytes() == before
    assert report == finished / "report.html"


def test_the_same_seed_gives_the_same_scores_and_another_does_not(tmp_path, finished, tiny):
    run(tiny(), tmp_path / "again", time.monotonic())
    other = tiny()
    other.seed = 1
    run(other, tmp_path / "other", time.monotonic())
    scores = [(tmp_path / name / "scores.csv").read_text() for name in ("run", "again", "other")]
    assert scores[0] == scores[1] != scores[2]


def test_another_config_is_refused_on_the_same_workdir(finished, tiny):
    other = tiny()
    other.train.batch_size = 32
    with pytest.raises(ConfigError, match=r"train\.batch_size"):
        run(other, finished, time.monotonic())


def test_unlabelled_clips_are_ranked_without_results(tmp_path, clips, tiny):
    for path in (clips / "pump" / "test").glob("*.npy"):
        label, rest = path.name.split("_", 1)
        path.rename(path.with_name(rest) if label == "normal" else path.with_suffix(".skip"))
    run(tiny(), tmp_path / "run", time.monotonic())
    rows = [r for r in read_scores(tmp_path / "run" / "scores.csv") if r.split == "test"]
    assert len(rows) == 8 and all(row.label is None for row in rows)
    assert all(r["auc"] == "" for r in table(tmp_path / "run" / "results.csv"))


def test_sound_goes_in_and_can_be_played_in_the_report(tmp_path, tiny):
    settings = HallSettings(("fan",), num_ids=1, num_train=6, num_normal=2, num_anomaly=2)
    hall = build_hall(tmp_path / "hall", settings, num_workers=1)
    report = run(tiny(root=hall), tmp_path / "run", time.monotonic())
    page = report.read_text()
    assert page.count("data:audio/wav;base64,") == 3
    assert "anomaly_id_00" in page


def test_several_machines_share_one_table(tmp_path, clips, tiny):
    (clips / "valve").symlink_to(clips / "pump")
    run(tiny(), tmp_path / "run", time.monotonic())
    assert [r["machine"] for r in table(tmp_path / "run" / "results.csv")] == [
        *["pump"] * 3,
        *["valve"] * 3,
        "average",
    ]


def test_one_machine_can_be_chosen(tmp_path, clips, tiny):
    (clips / "valve").symlink_to(clips / "pump")
    config = tiny()
    config.data.machines = "valve"
    run(config, tmp_path / "run", time.monotonic())
    assert {row.machine for row in read_scores(tmp_path / "run" / "scores.csv")} == {"valve"}


@pytest.mark.parametrize("pooling", ["max", "median", "top10"])
def test_pooling_is_a_choice(tmp_path, clips, tiny, pooling):
    config = tiny()
    config.score.pooling = pooling
    run(config, tmp_path / "run", time.monotonic())
    assert float(table(tmp_path / "run" / "results.csv")[-1]["auc"]) > 0.9


def spoil(clips, what):
    """Does to a folder of clips what users' folders suffer."""
    train = clips / "pump" / "train"
    first = train / "normal_id_00_00000000.npy"
    match what:
        case "no root":
            clips.rename(clips.with_name("elsewhere"))
        case "empty file":
            first.write_bytes(b"")
        case "truncated":
            whole = encode_wav(np.zeros(16000, np.float32), 16000)
            first.with_suffix(".wav").write_bytes(whole[:20_000])
            first.unlink()
        case "nan":
            np.save(first, np.full((24, 128), np.nan, np.float32))
        case "short clip":
            np.save(first, np.zeros((3, 128), np.float32))
        case "bands":
            np.save(first, np.zeros((24, 64), np.float32))
        case "no train":
            for path in train.iterdir():
                path.unlink()
        case "unknown id":
            stray = clips / "pump" / "test" / "normal_id_07_00000000.npy"
            np.save(stray, np.zeros((24, 128), np.float32))
        case "anomaly in train":
            first.rename(train / "anomaly_id_00_00000000.npy")


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("no root", "clips"),
        ("empty file", r"normal_id_00_00000000\.npy"),
        ("truncated", r"normal_id_00_00000000\.wav is truncated"),
        ("nan", r"normal_id_00_00000000\.npy"),
        ("short clip", r"normal_id_00_00000000\.npy"),
        ("bands", r"normal_id_00_00000000\.npy"),
        ("no train", "train"),
        ("unknown id", "07"),
        ("anomaly in train", r"anomaly_id_00_00000000\.npy"),
    ],
)
def test_what_a_user_can_mend_is_one_line_that_names_it(tmp_path, clips, tiny, what, says):
    spoil(clips, what)
    with pytest.raises(DataError, match=says) as error:
        run(tiny(), tmp_path / "run", time.monotonic())
    assert "\n" not in str(error.value)
    assert not (tmp_path / "run").exists()


def test_all_bad_clips_are_named_together(tmp_path, clips, tiny):
    for index in (0, 2):
        (clips / "pump" / "train" / f"normal_id_01_{index:08d}.npy").write_bytes(b"")
    (clips / "pump" / "test" / "normal_id_00_00000001.npy").write_bytes(b"")
    with pytest.raises(DataError, match=r"^3 bad clips.*on_bad_clip=skip"):
        run(tiny(), tmp_path / "run", time.monotonic())


def test_bad_clips_can_be_skipped_and_are_listed(tmp_path, clips, tiny):
    spoil(clips, "nan")
    config = tiny()
    config.data.on_bad_clip = "skip"
    report = run(config, tmp_path / "run", time.monotonic())
    names = [(r.split, r.name) for r in read_scores(tmp_path / "run" / "scores.csv")]
    assert len(names) == 27 and ("train", "normal_id_00_00000000.npy") not in names
    assert "normal_id_00_00000000.npy" in report.read_text()


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("method", "magic", "method='magic'"),
        ("data.source", "web", "data.source='web'"),
        ("data.root", None, "data.root"),
        ("data.machines", "lathe", "lathe"),
        ("data.on_bad_clip", "ignore", "data.on_bad_clip"),
        ("model.ordering", "sideways", "sideways"),
        ("model.ordering", (0, 1), "5 ranks"),
        ("model.ordering", ((0, 1), (1, 0)), "matrix"),
        ("model.train_frames", (5,), "model.train_frames"),
        ("model.score_frames", (0,), "model.score_frames"),
        ("model.activation", "step", "model.activation"),
        ("model.score", "margin", "model.use_id"),
        ("model.score", "vibes", "model.score"),
        ("model.hidden", (), "model.hidden"),
        ("model.dropout_rate", 1.0, "model.dropout_rate"),
        ("train.schedule", "stairs", "train.schedule"),
        ("train.num_epochs", 0, "train.num_epochs"),
        ("train.learning_rate", 0.0, "train.learning_rate"),
        ("train.batch_size", 12, "train.batch_size"),
        ("score.pooling", "sum", "pooling"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it(tmp_path, clips, tiny, key, value, says):
    config = tiny()
    config.update_from_flattened_dict({key: value})
    with pytest.raises((ConfigError, DataError)) as error:
        run(config, tmp_path / "run", time.monotonic())
    assert says in str(error.value) and "\n" not in str(error.value)
