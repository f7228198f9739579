import numpy as np
import pytest

from audio.clips import Clip
from audio.logmels import LogMels
from experiments import pictures
from experiments.data import Machine, Split
from experiments.methods import build

FRAMES, LENGTH = 16, 40
CLIPS = tuple(
    Clip("pump", id_, "train", 0, f"normal_id_{id_}_0000000{i}.npy") for id_ in "01" for i in "01"
)
WARPS = np.array([[[0.2, 0.1, 0], [0, 0, 0]], [[0, 0.3, 0], [0.1, 0, 0]]], np.float32)


def split(clips=CLIPS, shift=0.0):
    """Clips whose frames hold their own number: 100 a clip, 1 a frame."""
    at = 100 * np.arange(len(clips))[:, None] + np.arange(LENGTH)[None] + shift
    frames = np.repeat(at.reshape(-1, 1), 128, axis=1).astype(np.float32)
    ids = np.array([int(clip.id) for clip in clips])
    offsets = LENGTH * np.arange(len(clips) + 1)
    return Split(clips, LogMels(clips, frames, offsets), np.arange(len(clips)), ids)


def made(config, copies=()):
    """The panels of the only picture, as images by title, and its caption; or nothing."""
    drawn = []
    machine = Machine("pump", ("0", "1"), split(), split(), copies)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pictures, "panel_figure", lambda panels, *_: drawn.extend(panels) or b"png")
        found = pictures.augmentations(build(config, 2), {"warps": WARPS}, machine, config)
    return {panel.title: panel.image for panel in drawn}, [each.caption for each in found]


def test_nothing_is_shown_where_nothing_is_done(tiny):
    config = tiny("ssl_small")
    config.model.mixture = "none"
    assert made(config) == ({}, [])
    assert made(tiny("gmade_idnn")) == ({}, [])


def test_the_mixture_is_of_the_clip_and_one_of_another_id(tiny):
    config = tiny("ssl_small")
    config.model.mixture = "db"
    panels, (caption,) = made(config)
    assert list(panels) == ["As it is", "Its partner", "Half of each"]
    np.testing.assert_array_equal(panels["As it is"][:, 0], 12 + np.arange(FRAMES))
    np.testing.assert_array_equal(panels["Its partner"][:, 0], 212 + np.arange(FRAMES))
    np.testing.assert_allclose(panels["Half of each"][:, 0], 112 + np.arange(FRAMES))
    assert CLIPS[0].name in caption and CLIPS[2].name in caption


def test_every_warp_and_every_speed_has_its_panel(tiny):
    config = tiny("ssl_small")
    config.model.mixture, config.model.num_warps, config.model.speeds = "none", 2, (0.9, 1.1)
    copies = split(shift=1000), split(CLIPS[1:], shift=2000)  # at 1.1 the clip is not there
    panels, _ = made(config, copies)
    assert list(panels) == ["As it is", "Warp 1", "Warp 2", "Speed 0.9"]
    assert all(panel.shape == (FRAMES, 128) for panel in panels.values())
    assert np.abs(panels["Warp 1"] - panels["As it is"]).max() > 0.5
    np.testing.assert_array_equal(panels["Speed 0.9"][:, 0], 1012 + np.arange(FRAMES))
