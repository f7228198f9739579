from pathlib import Path

import numpy as np
import pytest
import soundfile

from audio.clips import DataError
from audio.sound_classes import SoundSettings, build_sounds, list_sounds, of_length
from audio.sound_classes.build import CLASSES, synthesise

TINY = SoundSettings(num_clips=1, seconds=0.5)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    return build_sounds(tmp_path_factory.mktemp("made") / "sounds", TINY)


def test_a_folder_is_a_class(tmp_path, write):
    write(tmp_path / "rain" / "b.wav")
    write(tmp_path / "rain" / "a.flac")
    write(tmp_path / "dog" / "deeper" / "c.OGG")
    write(tmp_path / "dog" / "d.npy")
    for ignored in ("rain/notes.txt", "rain/.hidden.wav", ".git/x.wav", "empty/readme.md"):
        (tmp_path / ignored).parent.mkdir(exist_ok=True)
        (tmp_path / ignored).write_text("no sound")
    clips = list_sounds(tmp_path)
    assert [clip.name for clip in clips] == [
        "dog/d.npy",
        "dog/deeper/c.OGG",
        "rain/a.flac",
        "rain/b.wav",
    ]
    assert [clip.id for clip in clips] == ["dog", "dog", "rain", "rain"]


def test_what_is_no_folder_of_classes_is_named(tmp_path, write):
    with pytest.raises(DataError, match=r"is not a folder: set data\.root"):
        list_sounds(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"no classes of sounds: lay sounds out as CLASS/\*.wav"):
        list_sounds(tmp_path)
    write(tmp_path / "rain" / "a.wav")
    with pytest.raises(DataError, match="sounds of one class only, rain"):
        list_sounds(tmp_path)


def test_a_longer_clip_is_cut_and_a_shorter_one_repeats():
    frames = np.arange(6.0).reshape(3, 2)
    np.testing.assert_array_equal(of_length(frames, 2), frames[:2])
    np.testing.assert_array_equal(of_length(frames, 7), frames[[0, 1, 2, 0, 1, 2, 0]])


def test_made_up_sounds_are_of_all_classes_and_heard(made):
    clips = list_sounds(made)
    assert sorted(clip.id for clip in clips) == sorted(CLASSES)
    for clip in clips:
        signal, rate = soundfile.read(clip.path)
        assert (len(signal), rate) == (8000, 16000)
        assert np.std(signal) > 1e-3 and np.abs(signal).max() <= 0.9 + 1e-4


def test_the_same_settings_sound_the_same_and_no_two_clips_do():
    first, again, other = (synthesise("cry", index, TINY) for index in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-3
    assert np.abs(first - synthesise("shot", 0, TINY)).max() > 1e-3


def test_what_is_there_is_not_made_again(made):
    before = {path: path.stat().st_mtime_ns for path in made.rglob("*.wav")}
    assert build_sounds(made, TINY) == made
    assert {path: path.stat().st_mtime_ns for path in made.rglob("*.wav")} == before
    with pytest.raises(DataError, match="holds something else"):
        build_sounds(made, SoundSettings(num_clips=2, seconds=0.5))


def test_nothing_half_made_stays(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(soundfile, "write", full)
    with pytest.raises(DataError, match="No space left on device"):
        build_sounds(tmp_path / "sounds", TINY)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "wrong, message",
    [
        (dict(num_clips=0), "sounds.num_clips=0: set it above 0"),
        (dict(seconds=-1.0), "sounds.seconds"),
        (dict(lowest_snr_db=9.0, highest_snr_db=3.0), "exchange them"),
    ],
)
def test_impossible_settings_are_named(wrong, message):
    with pytest.raises(DataError, match=message):
        SoundSettings(**wrong)
