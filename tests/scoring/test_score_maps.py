"""Where a clip is strange: the data fed to the picture."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from scoring.maps import (
    LEFTS,
    WIDTH,
    StrangeClip,
    clip_figure,
    colour_limits,
    mean_over,
    shared_limits,
    strangest_spot,
)
from scoring.rows import ScoreRow

ROW = ScoreRow("fan", "00", "test", "a.wav", None, 1.0)
HOP = 0.032


def clip_with_fault(frames: int = 100, mels: int = 32, edge: int = 2) -> StrangeClip:
    """Ordinary noise, a fault at frames 60 to 69 and bins 20 to 23, edges not scored."""
    rng = np.random.default_rng(0)
    logmel = rng.normal(-40, 3, (frames, mels)).astype(np.float32)
    nll = rng.normal(1, 0.5, (frames, mels)).astype(np.float32)
    nll[60:70, 20:24] += 8
    nll[5, 5] = 60  # one freak bin, which must neither win nor set the colours
    nll[:edge] = nll[frames - edge :] = np.nan
    return StrangeClip(ROW, logmel, nll, HOP, np.linspace(50, 8000, mels))


def pictures(figure: Figure) -> list[Any]:
    return [axes.images[0] for axes in figure.axes if axes.images]


def test_the_map_is_brightest_where_the_fault_was_planted():
    clip = clip_with_fault()
    spectrogram, surprise = pictures(clip_figure(clip, shared_limits([clip])))[:2]
    drawn = surprise.get_array()
    assert drawn.shape == (32, 100)  # frequency up, time to the right
    bright = drawn.filled(-np.inf) >= surprise.norm.vmax
    assert bright[20:24, 60:70].mean() > 0.3
    bright[20:24, 60:70] = False
    assert bright.sum() <= 1  # the freak bin
    assert np.array_equal(spectrogram.get_array(), clip.logmel.T)


def test_unscored_edges_are_masked_not_drawn():
    clip = clip_with_fault(edge=2)
    _, surprise = pictures(clip_figure(clip, shared_limits([clip])))[:2]
    mask = np.ma.getmaskarray(surprise.get_array())
    assert mask[:, :2].all()
    assert mask[:, -2:].all()
    assert not mask[:, 2:-2].any()


def test_the_strip_beneath_peaks_when_the_fault_sounds():
    when = mean_over(clip_with_fault().nll, axis=1)
    assert 60 <= int(np.nanargmax(np.delete(when, 5))) + 1 < 70
    assert np.isnan(when[[0, 1, -1]]).all()


def test_the_spot_is_in_the_fault_in_seconds_and_hertz():
    clip = clip_with_fault()
    spot = strangest_spot(clip)
    assert spot is not None
    assert 60 * HOP <= spot[0] <= 69 * HOP
    assert clip.mel_hz[20] <= spot[1] <= clip.mel_hz[23]


def test_a_freak_bin_beside_an_unscored_edge_does_not_win():
    clip = clip_with_fault(edge=4)
    clip.nll[4, 0] = 40.0
    spot = strangest_spot(clip)
    assert spot is not None
    assert spot[0] >= 60 * HOP


def test_axes_are_shared_and_lie_where_the_page_expects_its_playhead():
    clip = clip_with_fault()
    figure = clip_figure(clip, shared_limits([clip]))
    left, right = [image.axes for image in pictures(figure)[:2]]
    assert left.get_xlim() == right.get_xlim() == pytest.approx(clip.extent)
    assert left.get_ylim() == right.get_ylim()
    for axes, start in zip((left, right), LEFTS, strict=True):
        assert axes.get_position().x0 == pytest.approx(start)
        assert axes.get_position().width == pytest.approx(WIDTH)
    assert clip.extent == pytest.approx((-HOP / 2, 99.5 * HOP))


def test_frequency_ticks_stand_at_their_bins():
    clip = clip_with_fault()
    axes = pictures(clip_figure(clip, shared_limits([clip])))[0].axes
    hertz = {"50": 50, "500": 500, "1k": 1000, "2k": 2000, "4k": 4000, "8k": 8000}
    ticks = dict(
        zip((t.get_text() for t in axes.get_yticklabels()), axes.get_yticks(), strict=True)
    )
    assert {"2k", "4k", "8k"} <= set(ticks) <= set(hertz)
    for text, bin_ in ticks.items():
        assert np.interp(bin_, np.arange(32), clip.mel_hz) == pytest.approx(hertz[text])


def test_colours_are_robust_and_shared():
    values = np.linspace(0, 1, 10_001)
    values[-1] = 1e6
    low, high = colour_limits([values[:5000], values[5000:], np.array([np.nan])])
    assert (low, high) == pytest.approx((0.01, 0.995), abs=1e-3)
    assert colour_limits([np.full(3, np.nan)]) == (0.0, 1.0)
    low, high = colour_limits([np.full(3, 2.0)])
    assert low < 2.0 < high


def test_nothing_scored_is_drawn_all_the_same():
    clip = StrangeClip(ROW, np.zeros((3, 2)), np.full((3, 2), np.nan), HOP, np.array([50.0, 90.0]))
    assert strangest_spot(clip) is None
    clip_figure(clip, shared_limits([clip])).canvas.draw()


def test_one_frame_is_drawn():
    clip = StrangeClip(ROW, np.zeros((1, 2)), np.ones((1, 2)), HOP, np.array([50.0, 90.0]))
    clip_figure(clip, shared_limits([clip])).canvas.draw()


@pytest.mark.parametrize(
    ("logmel", "nll", "mel_hz"),
    [((4, 3), (4, 2), 3), ((4, 3), (4, 3), 4), ((0, 3), (0, 3), 3), ((4,), (4,), 4)],
)
def test_shapes_that_do_not_fit_name_the_clip(logmel: tuple, nll: tuple, mel_hz: int):
    with pytest.raises(ValueError, match=r"clip 'a\.wav'"):
        StrangeClip(ROW, np.zeros(logmel), np.zeros(nll), HOP, np.zeros(mel_hz))


@pytest.mark.parametrize(("unit", "other"), [("nats", "distance"), ("distance", "nats")])
def test_surprise_says_what_it_is_measured_in(unit: str, other: str):
    clip = replace(clip_with_fault(), unit=unit)
    figure = clip_figure(clip, shared_limits([clip]))
    said = " ".join(text.get_text() for text in figure.findobj(Text))
    assert f"surprise, {unit}" in said and f"mean {unit}" in said
    assert other not in said


def test_a_clip_that_is_judged_as_a_whole_has_no_map():
    clip = clip_with_fault()
    whole = replace(clip, nll=np.full_like(clip.nll, np.nan))
    figure = clip_figure(whole, shared_limits([whole]))
    assert len(pictures(figure)) == 1
    assert any(text.get_text() == "judged as a whole" for text in figure.findobj(Text))
    assert strangest_spot(whole) is None
