import pytest

from audio.clips import ANOMALY, NORMAL, TEST, TRAIN, DataError
from audio.folder import list_clips


@pytest.fixture
def touch(tmp_path):
    """Makes empty files: what is in them is not the folder's affair."""

    def make(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return tmp_path

    return make


def mimii(num_normal, num_abnormal, machine="fan", id_="id_00"):
    normal = [f"{machine}/{id_}/normal/{i:08d}.wav" for i in range(num_normal)]
    return normal + [f"{machine}/{id_}/abnormal/{i:08d}.wav" for i in range(num_abnormal)]


def error_of(*args, **kwargs) -> str:
    with pytest.raises(DataError) as raised:
        list_clips(*args, **kwargs)
    message = str(raised.value)
    assert "\n" not in message
    return message


def test_reads_the_dcase_layout(touch):
    root = touch(
        "fan/train/normal_id_01_00000000.wav",
        "fan/test/normal_id_01_00000001.WAV",
        "fan/test/anomaly_id_01_00000000.flac",
        "fan/test/id_01_00000002.ogg",
        "fan/train/normal_id_02_00000000.npy",
        "fan/train/notes.txt",
        "fan/train/._normal_id_01_00000000.wav",
        "readme/about.md",
    )
    clips = list_clips(root)
    assert [(c.machine, c.id, c.split, c.label, c.name) for c in clips] == [
        ("fan", "01", TRAIN, NORMAL, "normal_id_01_00000000.wav"),
        ("fan", "02", TRAIN, NORMAL, "normal_id_02_00000000.npy"),
        ("fan", "01", TEST, ANOMALY, "anomaly_id_01_00000000.flac"),
        ("fan", "01", TEST, None, "id_01_00000002.ogg"),
        ("fan", "01", TEST, NORMAL, "normal_id_01_00000001.WAV"),
    ]
    assert all(c.path and c.path.exists() for c in clips)


def test_reads_only_the_machines_asked_for(touch):
    root = touch(*(f"{m}/train/normal_id_00_00000000.wav" for m in ("fan", "pump", "valve")))
    assert [c.machine for c in list_clips(root, ("valve", "fan"))] == ["fan", "valve"]
    message = error_of(root, ("fan", "toaster"))
    assert "toaster" in message
    assert "fan, pump, valve" in message
    assert "data.machines" in message


def test_mimii_holds_out_as_many_normal_clips_as_there_are_abnormal(touch):
    clips = list_clips(touch(*mimii(10, 4), *mimii(7, 2, id_="id_02")))
    counts = {
        key: sum((c.id, c.split, c.label) == key for c in clips)
        for key in [("00", TRAIN, 0), ("00", TEST, 0), ("00", TEST, 1), ("02", TRAIN, 0)]
    }
    assert list(counts.values()) == [6, 4, 4, 5]
    assert len({c.name for c in clips}) == len(clips)
    assert {c.name for c in clips if c.label == ANOMALY} >= {"anomaly_id_00_00000000.wav"}


def test_mimii_holds_out_as_many_as_asked_for_and_always_the_same(touch):
    root = touch(*mimii(30, 4))

    def held_out(num):
        return {
            c.name for c in list_clips(root, num_held_out=num) if c.split == TEST and not c.label
        }

    assert len(held_out(9)) == 9
    assert held_out(9) == held_out(9)
    assert held_out(3) < held_out(9)
    assert not held_out(0)


def test_a_level_between_root_and_machines_is_named(touch):
    root = touch(*(f"-6_dB_fan/{name}" for name in mimii(3, 1)))
    assert list_clips(root / "-6_dB_fan")
    assert f"set data.root to {root / '-6_dB_fan'}" in error_of(root)
    assert f"set data.root to {root / '-6_dB_fan'}" in error_of(root / "-6_dB_fan" / "fan")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ((), ("no machines", "DCASE", "MIMII")),
        (("fan/test/normal_id_00_0000.wav",), ("fan has no training clips",)),
        (
            ("fan/train/normal_id_00_0000.wav", "fan/test/anomaly_id_07_0000.wav"),
            ("id 07", "add normal training clips"),
        ),
        (("fan/train/anomaly_id_00_0000.wav",), ("anomaly_id_00_0000.wav", "move it to")),
        (("fan/train/id_00_0000.wav",), ("id_00_0000.wav", "unlabelled", "move it to")),
        (("fan/train/monday.wav",), ("monday.wav", "normal_id_01_00000000.wav")),
        (
            ("fan/train/normal_id_00_0000.wav", "fan/train/normal_id_00_0000.npy"),
            ("normal_id_00_0000", "keep one"),
        ),
        (mimii(0, 4), ("id_00", "0 normal clips")),
    ],
)
def test_says_what_is_wrong_and_how_to_mend_it(touch, tmp_path, files, said):
    touch(*files)
    message = error_of(tmp_path)
    assert all(words in message for words in said), message


def test_a_missing_root_is_named(tmp_path):
    message = error_of(tmp_path / "nowhere")
    assert "nowhere" in message
    assert "data.root" in message


def test_at_most_half_of_the_normal_clips_are_held_out_unless_asked_for(touch):
    clips = list_clips(touch(*mimii(4, 9)))
    assert [clip.split for clip in clips if clip.label == 0] == [TRAIN] * 2 + [TEST] * 2


def test_holding_out_every_normal_clip_is_refused(touch):
    message = error_of(touch(*mimii(4, 4)), num_held_out=4)
    assert all(words in message for words in ("id_00", "4 normal clips", "data.num_held_out"))


def test_a_negative_number_held_out_is_refused(touch):
    assert "data.num_held_out=-1" in error_of(touch(*mimii(3, 1)), num_held_out=-1)
