"""Charts: what they draw, and that nothing odd breaks them."""

import numpy as np
import pytest

from scoring.figures import on_dark, svg
from scoring.plots import (
    BINS,
    curve_figure,
    lanes,
    loss_curves,
    roc_figure,
    score_figure,
    score_limits,
)
from scoring.rows import ScoreRow


def rows_of(scores, split="test", label: int | None = 0, id_="00") -> list[ScoreRow]:
    return [ScoreRow("fan", id_, split, f"{i}", label, float(s)) for i, s in enumerate(scores)]


RNG = np.random.default_rng(0)
TRAIN = rows_of(RNG.normal(0, 1, 80), "train")
NORMAL = rows_of(RNG.normal(0, 1, 30))
ANOMALY = rows_of(RNG.normal(2, 1, 20), label=1)


def test_lanes_hold_each_clip_once():
    unit = lanes([*ANOMALY, *TRAIN, *NORMAL, *rows_of([1.0], label=None)])
    assert {kind: len(scores) for kind, scores in unit.items()} == {
        "train": 80,
        "normal": 30,
        "anomaly": 20,
        "unlabelled": 1,
    }
    assert list(lanes(TRAIN)) == ["train"]


def test_histograms_count_what_lies_beyond_in_the_last_bin():
    rows = [*TRAIN, *rows_of([1e9, 1e9, 0.0], label=1)]
    figure = score_figure(rows, {"00": 1.3})
    axes = figure.axes[0]
    assert axes.get_xlim()[1] < 100
    steps = [patch.get_data() for patch in axes.patches]  # type: ignore[attr-defined]
    assert len(steps) == 2
    anomaly = steps[1].values - steps[1].baseline
    assert len(anomaly) == BINS
    assert anomaly[-1] == pytest.approx(0.85)
    assert np.count_nonzero(anomaly > 1e-9) == 2


def test_the_threshold_is_always_in_sight():
    low, high = score_limits(TRAIN, [50.0])
    assert low < -1
    assert high > 50


@pytest.mark.parametrize("scores", [[3.0], [3.0, 3.0]])
def test_equal_scores_have_limits(scores: list):
    rows = rows_of(scores, "train")
    low, high = score_limits(rows, [3.0])
    assert low < 3 < high
    svg(score_figure(rows, {"00": 3.0}))


def test_roc_shades_what_pauc_looks_at():
    figure = roc_figure([*TRAIN, *NORMAL, *ANOMALY])
    assert figure is not None
    axes = figure.axes[0]
    (shade,) = axes.patches
    assert shade.get_window_extent().width == pytest.approx(0.1 * axes.bbox.width)
    assert len(axes.lines) == 2  # chance, one id
    assert roc_figure([*TRAIN, *NORMAL]) is None


def test_loss_curves_take_losses_only_with_gaps_and_missing_keys():
    metrics = [
        {"step": 0, "epoch": 0, "loss": 9.0, "learning_rate": 1.0, "note": "loss"},
        {"step": 10, "epoch": 0, "loss": float("nan")},
        {"step": 20, "epoch": 1, "loss": 7, "heldout_loss": 8.0, "loss_note": "text"},
    ]
    x_key, curves = loss_curves(metrics)
    assert x_key == "step"
    assert set(curves) == {"loss", "heldout_loss"}
    x, y = curves["loss"]
    assert x.tolist() == [0, 10, 20]
    np.testing.assert_array_equal(y, [9.0, np.nan, 7.0])
    assert loss_curves([{"epoch": 1, "loss": 2.0}])[0] == "epoch"


@pytest.mark.parametrize(
    "losses", [[5.0], [np.nan, np.nan], [1e9, *[3.0] * 50], [np.inf, 2.0, 1.0]]
)
def test_any_losses_can_be_drawn(losses: list):
    figure = curve_figure([{"step": i, "loss": loss} for i, loss in enumerate(losses)])
    assert figure is not None
    assert figure.axes[0].get_ylim()[1] < 1e6
    svg(figure)


def test_no_losses_no_figure():
    assert curve_figure([]) is None
    assert curve_figure([{"step": 1, "rate": 3.0}]) is None


def test_drawings_are_the_same_every_time_and_have_two_inks():
    first, again = (svg(score_figure([*TRAIN, *NORMAL], {"00": 1.0})) for _ in range(2))
    assert first == again
    assert "#1f2831" in first
    assert "#1f2831" not in on_dark(first)


def test_hostile_names_are_drawn_as_they_stand():
    rows = [
        ScoreRow("fan", "$_^{<script>", "train", "a", 0, 1.0),
        ScoreRow("fan", "$_^{<script>", "test", "a", 0, 1.0),
        ScoreRow("fan", "$_^{<script>", "test", "b", 1, 2.0),
    ]
    for figure in (score_figure(rows, {"$_^{<script>": 1.0}), roc_figure(rows)):
        assert figure is not None
        drawing = svg(figure)
        assert "<script" not in drawing
        assert "&lt;script&gt;" in drawing
