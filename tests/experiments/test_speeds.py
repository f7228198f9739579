"""Copies of train clips at other speeds: how they come in, and what they are called."""

import numpy as np
import pytest

from audio.clips import DataError
from experiments.data import load_data, training_windows
from experiments.errors import ConfigError


@pytest.fixture
def config(tiny):
    def get(*speeds):
        config = tiny("ssl_small")
        config.model.speeds = speeds
        return config

    return get


def test_every_id_at_every_speed_is_a_class_of_its_own(clips, config, capsys):
    data = load_data(config(0.9, 1.25))
    (machine,) = data.machines
    windows, classes = training_windows(machine, config(0.9, 1.25))
    np.testing.assert_array_equal(classes, np.repeat(np.arange(2 * 3), 6))
    assert set(windows.clip) == set(range(3 * 12))
    # 24 frames as they are, 26 when slower, 19 when faster; windows of 16 every 4.
    np.testing.assert_array_equal(np.bincount(windows.clip), np.repeat([3, 3, 1], 12))
    assert len(machine.train.mine.frames) == 12 * 24  # what is scored
    assert [len(copy.mine.frames) for copy in machine.copies] == [12 * 26, 12 * 19]
    assert [note.count(": 12 clips") for note in data.notes] == [1, 1]
    assert "stretched to speed 0.9" in data.notes[0] and "speed 1.25" in data.notes[1]
    assert "log-mels: clip 52/52" in capsys.readouterr().out


def test_windows_of_copies_are_their_own_frames(clips, config):
    (machine,) = load_data(config(0.9)).machines
    windows, classes = training_windows(machine, config(0.9))
    first = np.flatnonzero(classes[windows.clip] >= 2)[0]
    np.testing.assert_array_equal(windows.gather(first), machine.copies[0].mine.frames[:16])


def test_without_speeds_nothing_is_copied(clips, config, tiny):
    (machine,) = load_data(config()).machines
    windows, classes = training_windows(machine, config())
    assert machine.copies == ()
    assert windows.frames is machine.train.mine.frames
    np.testing.assert_array_equal(classes, machine.train.ids)
    assert load_data(tiny("gmade_idnn")).machines[0].copies == ()


def test_a_copy_too_short_for_a_window_is_said_or_left_out(clips, config):
    short = clips / "pump" / "train" / "normal_id_01_00000002.npy"
    np.save(short, np.zeros((18, 128), np.float32))
    asked = config(1.25)
    with pytest.raises(DataError, match=rf"1 bad clip: {short} is too short at speed 1\.25: 14"):
        load_data(asked)
    asked.data.on_bad_clip = "skip"
    data = load_data(asked)
    (machine,) = data.machines
    assert [place for place, _ in data.skipped] == [str(short)]
    assert len(machine.train.mine.clips) == 12
    _, classes = training_windows(machine, asked)
    np.testing.assert_array_equal(np.bincount(classes), [6, 6, 6, 5])


@pytest.mark.parametrize("speeds", [(0.0,), (-1.1,), (1.0,), (1,), ("fast",), (np.inf,), (2, 2.0)])
def test_speeds_that_make_no_classes_are_refused(clips, config, speeds):
    with pytest.raises(ConfigError, match=r"model\.speeds=\(.*must") as said:
        load_data(config(*speeds))
    assert "\n" not in str(said.value)
