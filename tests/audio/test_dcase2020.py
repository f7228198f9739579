import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from audio.clips import ANOMALY, NORMAL, TEST, TRAIN, DataError
from audio.dcase2020 import PARTS, Dcase2020Task2, prepare
from audio.dcase2020.pcm import Pcm16
from tests.audio.dcase2020_zips import (
    ADDITIONAL,
    DEVELOPMENT,
    EVALUATION,
    Counter,
    samples,
    write_zip,
    write_zips,
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_zips(tmp_path / "zips")


@pytest.fixture(autouse=True)
def opened() -> list[tuple[str, int, str]]:
    Counter.opened = []
    return Counter.opened


def test_prepares_lists_and_reads_back_exactly(root: Path, tmp_path: Path) -> None:
    prepared = prepare(["fan"], list(PARTS), root, tmp_path / "tfds", progress=Counter)
    clips = prepared.clips
    listed = {f"{clip.split}/{clip.name}": clip for clip in clips}
    contents = DEVELOPMENT | ADDITIONAL | EVALUATION
    assert set(listed) == set(contents) and len(clips) == len(contents)
    assert all(clip.machine == "fan" and clip.path is None for clip in clips)
    normal, anomaly = (
        listed["test/normal_id_00_00000000.wav"],
        listed["test/anomaly_id_02_00000000.wav"],
    )
    assert (normal.label, normal.id, normal.split) == (NORMAL, "00", TEST)
    assert (anomaly.label, anomaly.id) == (ANOMALY, "02")
    assert listed["test/id_01_00000001.wav"].label is None
    assert all(clip.label == NORMAL for clip in clips if clip.split == TRAIN)

    elements = list(prepared.signals(clips, num_mels=64).as_numpy_iterator())
    assert sorted(element["index"] for element in elements) == list(range(len(clips)))
    for element in elements:
        clip = clips[element["index"]]
        expected = samples(contents[f"{clip.split}/{clip.name}"])
        assert element["signal"].dtype == np.float32
        np.testing.assert_array_equal(element["signal"] * 32768, expected.astype(np.float32))
        assert element["signal"].min() == -1 and element["signal"].max() < 1
        assert element["logmel"].shape == (0, 64) and element["logmel"].dtype == np.float32
        assert element["error"] == b""
    assert ("fan_development train", 3, "clip") in Counter.opened


def test_reads_only_what_is_asked_for(root: Path, tmp_path: Path) -> None:
    prepared = prepare(["fan"], list(PARTS), root, tmp_path / "tfds")
    asked = [clip for clip in reversed(prepared.clips) if clip.id == "00"]
    signals = prepared.signals(asked)
    found = {int(e["index"]): e["signal"] for e in signals.as_numpy_iterator()}
    assert set(found) == set(range(4))
    for index, clip in enumerate(asked):
        expected = samples(DEVELOPMENT[f"{clip.split}/{clip.name}"])
        np.testing.assert_array_equal(found[index] * 32768, expected.astype(np.float32))
    assert list(prepared.signals([])) == []
    every = prepared.signals([]).concatenate(signals)
    assert len(list(every)) == len(asked), "an empty one has the same type"


def test_records_hold_every_feature_and_little_more_than_a_byte_a_sample(
    root: Path, tmp_path: Path
) -> None:
    prepare(["fan"], ["development", "evaluation"], root, tmp_path / "tfds")
    builder = Dcase2020Task2(config="fan_development", data_dir=tmp_path / "tfds")
    element = next(iter(builder.as_dataset("train").take(1)))  # pyright: ignore
    assert element["audio"].dtype == np.int16
    assert (element["machine"], element["split"], element["label"]) == ("fan", "train", NORMAL)
    bytes_stored = sum(split.num_bytes for split in builder.info.splits.values())
    num_samples = sum(len(samples(seed)) for seed in DEVELOPMENT.values())
    assert bytes_stored / num_samples < 1.6, "a wav has 2"
    builder = Dcase2020Task2(config="fan_evaluation", data_dir=tmp_path / "tfds")
    assert all(int(clip["label"]) == -1 for clip in builder.as_dataset("test"))  # pyright: ignore


@pytest.mark.parametrize("length", [1, 159_999])
def test_pcm_is_lossless(length: int) -> None:
    signal = np.random.default_rng(0).integers(-32768, 32768, length).astype(np.int16)
    feature = Pcm16()
    np.testing.assert_array_equal(
        feature.decode_example(tf.constant(feature.encode_example(signal))), signal
    )
    with pytest.raises(ValueError, match="int16"):
        feature.encode_example(signal.astype(np.int32))


def test_parts_and_machines_are_chosen_and_checked(root: Path, tmp_path: Path) -> None:
    prepared = prepare(["fan"], ["additional"], root, tmp_path / "tfds")
    assert [clip.name for clip in prepared.clips] == [Path(name).name for name in ADDITIONAL]
    with pytest.raises(DataError, match="no machine type gearbox; it has ToyCar"):
        prepare(["gearbox"], ["development"], root, tmp_path / "tfds")
    with pytest.raises(DataError, match="no part eval; it has development"):
        prepare(["fan"], ["eval"], root, tmp_path / "tfds")
    with pytest.raises(DataError, match="at least one part"):
        prepare(["fan"], [], root, tmp_path / "tfds")


def test_prepared_archives_are_not_prepared_again(root: Path, tmp_path: Path) -> None:
    first = prepare(["fan"], ["development"], root, tmp_path / "tfds")
    again = prepare(["fan"], ["development"], root, tmp_path / "tfds", progress=Counter)
    assert Counter.opened == [] and again.identity == first.identity
    # Touched but the same; then gone, which is no reason to lose what was made of it.
    os.utime(root / "dev_data_fan.zip")
    prepare(["fan"], ["development"], root, tmp_path / "tfds", progress=Counter)
    (root / "dev_data_fan.zip").unlink()
    kept = prepare(["fan"], ["development"], root, tmp_path / "tfds", progress=Counter)
    assert Counter.opened == [] and kept.clips == first.clips


def test_goes_on_with_the_archive_it_was_at(root: Path, tmp_path: Path) -> None:
    good = (root / "eval_data_train_fan.zip").read_bytes()
    (root / "eval_data_train_fan.zip").write_bytes(good[:1000])
    with pytest.raises(DataError):
        prepare(["fan"], ["development", "additional"], root, tmp_path / "tfds")
    config = tmp_path / "tfds" / "dcase2020_task2" / "fan_additional"
    assert not config.exists() or not any(config.iterdir()), "nothing half-written"
    (root / "eval_data_train_fan.zip").write_bytes(good)
    prepared = prepare(
        ["fan"], ["development", "additional"], root, tmp_path / "tfds", progress=Counter
    )
    assert [task for task, *_ in Counter.opened] == ["fan_additional train"]
    assert len(prepared.clips) == len(DEVELOPMENT) + len(ADDITIONAL)


def test_a_changed_archive_is_prepared_again(root: Path, tmp_path: Path) -> None:
    first = prepare(["fan"], ["additional"], root, tmp_path / "tfds")
    write_zip(root, "eval_data_train_fan.zip", "fan", {"train/normal_id_01_00000000.wav": 11})
    second = prepare(["fan"], ["additional"], root, tmp_path / "tfds")
    assert second.identity != first.identity and len(second.clips) == 1
    element = next(second.signals(second.clips).as_numpy_iterator())
    np.testing.assert_array_equal(element["signal"] * 32768, samples(11).astype(np.float32))


# Prepares the development fan data, as another process would, and prints the identity.
PROGRAM = """
import os, signal, sys
from pathlib import Path
from audio.dcase2020 import prepare
from tests.audio.dcase2020_zips import Counter
root, data_dir, kill = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
if kill:
    Counter.update = lambda self, done: os.kill(os.getpid(), signal.SIGKILL) if done == 2 else None
print(prepare(["fan"], ["development"], root, data_dir, progress=Counter).identity)
"""


def start(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PROGRAM, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_goes_on_after_a_kill(root: Path, tmp_path: Path) -> None:
    killed = start(root, tmp_path / "tfds", "kill")
    killed.communicate(timeout=300)
    config = tmp_path / "tfds" / "dcase2020_task2" / "fan_development"
    assert killed.returncode == -signal.SIGKILL and list(config.iterdir()), "killed half-way"
    prepared = prepare(["fan"], ["development"], root, tmp_path / "tfds")
    assert len(prepared.clips) == len(DEVELOPMENT)
    assert [path.name for path in config.iterdir()] == ["1.0.0"], "what was left is gone"


def test_a_second_process_waits_for_the_first(root: Path, tmp_path: Path) -> None:
    both = [start(root, tmp_path / "tfds") for _ in range(2)]
    printed = {process.communicate(timeout=300)[0] for process in both}
    assert [process.returncode for process in both] == [0, 0]
    # One line and nothing else: TFDS keeps quiet on standard output.
    assert len(printed) == 1 and len(printed.pop().split()) == 1
