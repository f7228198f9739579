import numpy as np
import pytest

from audio.windows import find_windows

FRAMES = np.arange(40, dtype=np.float32)[:, None] * np.ones((1, 3), np.float32)


def test_a_ten_second_clip_has_309_windows_of_five_frames():
    windows = find_windows(np.zeros((313, 128)), np.array([0, 313]), 5, 1)
    assert len(windows) == 309


def test_a_ten_second_clip_has_32_images_of_64_frames():
    assert len(find_windows(np.zeros((313, 128)), np.array([0, 313]), 64, 8)) == 32


def test_windows_are_consecutive_frames_of_one_clip():
    offsets = np.array([0, 7, 20, 40])
    windows = find_windows(FRAMES, offsets, 5, 2)
    found = windows.gather(np.arange(len(windows)))[:, :, 0]
    assert (np.diff(found, axis=1) == 1).all()
    clip_of = np.searchsorted(offsets, found, side="right") - 1
    assert (clip_of == windows.clip[:, None]).all()
    assert np.bincount(windows.clip).tolist() == [2, 5, 8]


def test_every_window_of_every_clip_is_found():
    windows = find_windows(FRAMES, np.array([0, 7, 40]), 5, 1)
    assert windows.starts.tolist() == [0, 1, 2, *range(7, 36)]


def test_a_clip_shorter_than_a_window_has_none():
    windows = find_windows(FRAMES, np.array([0, 4, 40]), 5, 1)
    assert 0 not in windows.clip and len(windows) == 32


@pytest.mark.parametrize("offsets", [[0], [0, 4]])
def test_no_windows_at_all(offsets):
    windows = find_windows(FRAMES, np.array(offsets), 5, 1)
    assert len(windows) == 0
    assert windows.gather(np.zeros(0, np.int64)).shape == (0, 5, 3)
