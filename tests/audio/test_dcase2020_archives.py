import zipfile
from pathlib import Path

import pytest

from audio.clips import ANOMALY, NORMAL, DataError
from audio.dcase2020 import MACHINES, PARTS, Dcase2020Task2, prepare
from audio.dcase2020.archives import MD5, Archive, chosen
from audio.dcase2020.labels import read_labels
from tests.audio.dcase2020_zips import wav, write_zip, write_zips

LABEL_FILE = """fan
id_01_00000000.wav,normal_id_01_00000098.wav,0
id_01_00000001.wav,anomaly_id_01_00000064.wav,1
id_01_00000002.wav,anomaly_id_01_00000158.wav,1
pump
id_01_00000000.wav,anomaly_id_01_00000010.wav,1
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_zips(tmp_path / "zips")


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "eval_data_list.csv"
    path.write_text(LABEL_FILE)
    return path


def test_every_archive_has_a_sum_a_config_and_its_own_name() -> None:
    every = chosen((), tuple(PARTS))
    assert len(every) == 18 and {archive.machine for archive in every} == set(MACHINES)
    assert {archive.file for archive in every} == set(MD5)
    assert len(set(MD5.values())) == 18 and all(len(value) == 32 for value in MD5.values())
    assert {config.name for config in Dcase2020Task2.BUILDER_CONFIGS} == {a.name for a in every}
    url = "https://zenodo.org/records/3841772/files/eval_data_test_ToyCar.zip?download=1"
    assert Archive("ToyCar", "evaluation").url == url


def test_label_file_labels_evaluation_clips(root: Path, labels: Path, tmp_path: Path) -> None:
    prepared = prepare(["fan"], list(PARTS), root, tmp_path / "tfds", labels)
    found = {clip.name: clip.label for clip in prepared.clips if clip.name.startswith("id_")}
    assert found == {"id_01_00000000.wav": NORMAL, "id_01_00000001.wav": ANOMALY}
    unlabelled = prepare(["fan"], list(PARTS), root, tmp_path / "tfds")
    assert prepared.identity == unlabelled.identity, "labels change no recording"


def test_bad_label_files_are_named(root: Path, labels: Path, tmp_path: Path) -> None:
    assert read_labels(labels)["pump", "id_01_00000000.wav"] == ANOMALY

    def attempt() -> None:
        prepare(["fan"], ["evaluation"], root, tmp_path / "tfds", labels)

    labels.write_text("fan\nid_01_00000000.wav,normal_id_01_00000098.wav,0\n")
    with pytest.raises(DataError, match=r"lacks 1 evaluation clips, fan id_01_00000001\.wav"):
        attempt()
    labels.write_text("fan\nid_01_00000000.wav,normal\n")
    with pytest.raises(DataError, match=r"eval_data_list\.csv, line 2"):
        attempt()
    labels.unlink()
    with pytest.raises(DataError, match="cannot be read"):
        attempt()


def test_missing_zips_are_all_named(root: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        prepare(["pump", "fan"], ["development", "evaluation"], root, tmp_path / "tfds")
    message = str(caught.value)
    assert "dev_data_pump.zip (Zenodo record 3678171)" in message and "\n" not in message
    assert "eval_data_test_pump.zip (Zenodo record 3841772)" in message and str(root) in message
    assert "fan" not in message
    with pytest.raises(DataError, match="not a directory"):
        prepare(["fan"], ["development"], root / "none", tmp_path / "tfds")


def flip_a_byte(path: Path) -> None:
    """Damages the data of the last clip and leaves the directory of the zip whole."""
    with zipfile.ZipFile(path) as zipped:
        offset = zipped.infolist()[-1].header_offset + 5000
    damaged = bytearray(path.read_bytes())
    damaged[offset] ^= 0xFF
    path.write_bytes(damaged)


def test_a_damaged_zip_is_named(root: Path, tmp_path: Path) -> None:
    flip_a_byte(root / "dev_data_fan.zip")
    with pytest.raises(DataError, match=r"dev_data_fan\.zip is corrupt: test/anomaly_id_02_"):
        prepare(["fan"], ["development"], root, tmp_path / "tfds")
    (root / "dev_data_fan.zip").write_bytes(b"<html>Too many requests</html>")
    with pytest.raises(DataError, match=r"dev_data_fan\.zip is corrupt: .*download it again"):
        prepare(["fan"], ["development"], root, tmp_path / "tfds")


def test_bad_clips_are_all_named(root: Path, tmp_path: Path) -> None:
    clips = {
        "train/normal_id_00_00000000.wav": wav(1),
        "train/normal_id_00_00000001.wav": wav(1)[:-7],
        "train/normal_id_00_00000002.wav": wav(1, rate=44_100),
        "train/normal_id_00_00000003.wav": b"RIFF, or so it says",
    }
    write_zip(root, "eval_data_train_fan.zip", "fan", clips)
    with pytest.raises(DataError) as caught:
        prepare(["fan"], ["additional"], root, tmp_path / "tfds")
    message = str(caught.value)
    assert "00000001.wav: cut short" in message and "00000002.wav: PCM_16, 1 channels" in message
    assert "00000003.wav: not a wav file" in message and "\n" not in message


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("train/fan_1.wav", "not named like"),
        ("train/anomaly_id_01_00000000.wav", "among train clips"),
        ("more/train/normal_id_01_00000000.wav", "is not in fan/train or test"),
        ("test/normal_id_01_00000000.wav", "no clips in fan/train"),
    ],
)
def test_other_layouts_are_refused(root: Path, tmp_path: Path, name: str, message: str) -> None:
    write_zip(root, "eval_data_train_fan.zip", "fan", {name: 1})
    with pytest.raises(DataError, match=message):
        prepare(["fan"], ["additional"], root, tmp_path / "tfds")


def test_a_clip_in_two_parts_is_refused(root: Path, tmp_path: Path) -> None:
    write_zip(root, "eval_data_train_fan.zip", "fan", {"train/normal_id_00_00000000.wav": 1})
    with pytest.raises(DataError, match=r"both in dev_data_fan\.zip and in eval_data_train_fan"):
        prepare(["fan"], ["development", "additional"], root, tmp_path / "tfds")
