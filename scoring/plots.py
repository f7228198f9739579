"""Charts of a run: score distributions, ROC curves, training curves; one figure per machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from scoring.figures import (
    BLUE,
    GRID,
    INK,
    MUTED,
    SERIES,
    TRAIN,
    VERMILION,
    literal,
    strip_axes,
)
from scoring.metrics import MAX_FPR, auc, roc
from scoring.rows import ScoreRow, by_unit, labelled, scores_of

BINS = 60
_WIDTH = 5.4  # inches; two figures stand side by side on a wide page


def lanes(rows: Sequence[ScoreRow]) -> dict[str, np.ndarray]:
    """One unit's scores by kind, each (n,): only the kinds that occur, train first."""
    kinds = {
        "train": [row for row in rows if row.split == "train"],
        "normal": [row for row in rows if row.split == "test" and row.label == 0],
        "anomaly": [row for row in rows if row.split == "test" and row.label == 1],
        "unlabelled": [row for row in rows if row.split == "test" and row.label is None],
    }
    return {kind: scores_of(members) for kind, members in kinds.items() if members}


def score_limits(rows: Sequence[ScoreRow], thresholds: Sequence[float]) -> tuple[float, float]:
    """The stretch of scores worth drawing, so that one wild clip does not squash the rest.

    All scores, but at most four times the spread of the train scores beyond them on either side.
    """
    train = scores_of([row for row in rows if row.split == "train"])
    scores = scores_of(rows)
    low, high = (train.min(), train.max()) if train.size else (scores.min(), scores.max())
    reach = 4 * (high - low) or 1.0
    low = min(max(scores.min(), low - reach), *thresholds)
    high = max(min(scores.max(), high + reach), *thresholds)
    pad = 0.02 * (high - low) or 0.5
    return float(low - pad), float(high + pad)


def score_figure(rows: Sequence[ScoreRow], thresholds: Mapping[str, float]) -> Figure:
    """Histograms of one machine's scores, a lane for each id and kind, thresholds as lines.

    Args:
        rows: Train and test rows of one machine.
        thresholds: id -> decision threshold.
    """
    units = {unit[1]: lanes(clips) for unit, clips in by_unit(rows).items()}
    height = sum(len(unit) for unit in units.values()) + 0.7 * len(units)
    figure = Figure(figsize=(_WIDTH, 0.22 * height + 0.6), layout="constrained")
    axes = figure.add_subplot()
    low, high = score_limits(rows, [thresholds[id_] for id_ in units])
    edges = np.linspace(low, high, BINS + 1)
    base, ticks = 0.0, {}
    for id_, unit in units.items():
        top = base
        for kind, scores in unit.items():
            _lane(axes, scores, edges, base, kind)
            ticks[base - 0.7] = f"{kind} · {len(scores)}"
            base -= 1
        axes.vlines(
            thresholds[id_], base + 0.1, top, color=INK, linewidth=1.2, linestyle=(0, (3, 2))
        )
        label = literal(f"id {id_}")
        axes.text(high, top - 0.25, label, color=INK, size=9.5, weight="bold", ha="right", va="top")
        base -= 0.7
    strip_axes(axes)
    axes.set(xlim=(low, high), ylim=(base + 0.5, 0.2), xlabel="score (higher is stranger)")
    axes.set_yticks(list(ticks), list(ticks.values()))
    axes.spines["left"].set_visible(False)
    return figure


_FILL = {"train": TRAIN, "normal": BLUE, "anomaly": VERMILION, "unlabelled": BLUE}


def _lane(axes: Axes, scores: np.ndarray, edges: np.ndarray, base: float, kind: str) -> None:
    """A histogram on y = base - 1, its highest bin 0.85 tall; outer scores in the last bins."""
    counts, _ = np.histogram(np.clip(scores, edges[0], edges[-1]), edges)
    heights = 0.85 * counts / counts.max()
    floor = base - 1
    axes.hlines(floor, edges[0], edges[-1], color=GRID, linewidth=0.8)
    axes.stairs(floor + heights, edges, baseline=floor, fill=True, color=_FILL[kind], linewidth=0)


def roc_figure(rows: Sequence[ScoreRow]) -> Figure | None:
    """ROC curves of one machine's ids, the region pAUC looks at shaded; None without labels."""
    curves = {}
    for unit, clips in by_unit(rows, split="test").items():
        labels, scores = labelled(clips)
        points = roc(labels, scores)
        if points is not None:
            name = f"id {unit[1]}   {100 * (auc(labels, scores) or 0):.1f}"
            curves[name] = points
    if not curves:
        return None
    figure = Figure(figsize=(3.5, 3.5), layout="constrained")
    axes = figure.add_subplot(aspect="equal")
    axes.axvspan(0, MAX_FPR, color=GRID, alpha=0.7, linewidth=0)
    axes.plot((0, 1), (0, 1), color=TRAIN, linewidth=0.9, linestyle=(0, (2, 3)))
    for i, (name, (false_alarms, detections)) in enumerate(curves.items()):
        dash = "-" if i < len(SERIES) else "--"
        colour = SERIES[i % len(SERIES)]
        axes.plot(false_alarms, detections, dash, color=colour, linewidth=1.8, label=literal(name))
    strip_axes(axes, grid="both")
    axes.set(xlim=(0, 1), ylim=(0, 1.005), xlabel="false alarm rate", ylabel="detection rate")
    axes.set_xticks((0, MAX_FPR, 0.5, 1), ("0", f"{MAX_FPR:g}", "0.5", "1"))
    axes.set_yticks((0, 0.5, 1), ("0", "0.5", "1"))
    legend = axes.legend(
        loc="lower right",
        frameon=False,
        fontsize=9,
        labelcolor=INK,
        title="AUC %",
        alignment="right",
    )
    legend.get_title().set(color=MUTED, size=9)
    return figure


def loss_curves(
    metrics: Sequence[Mapping[str, object]],
) -> tuple[str, dict[str, tuple[np.ndarray, np.ndarray]]]:
    """What of the training metrics to draw: every quantity whose name holds `loss` or `nll`.

    Args:
        metrics: Rows of one machine's `metrics.jsonl`; keys may differ from row to row.

    Returns:
        The name of the x axis, and per quantity its x and y, each (k,); values that are not
        finite are left as gaps. The axis is `step` where every row has one, else `epoch`.
    """
    x_key = "step" if all("step" in row for row in metrics) else "epoch"
    drawn: dict[str, list[tuple[float, float]]] = {}
    for i, row in enumerate(metrics):
        x = row.get(x_key, i)
        for key, value in row.items():
            wanted = "loss" in key.lower() or "nll" in key.lower()
            if wanted and isinstance(x, int | float) and isinstance(value, int | float):
                drawn.setdefault(key, []).append((x, value))
    curves = {}
    for key, points in drawn.items():
        x, y = np.array(points, dtype=np.float64).T
        curves[key] = x, np.where(np.isfinite(y), y, np.nan)
    return x_key, curves


def curve_figure(metrics: Sequence[Mapping[str, object]]) -> Figure | None:
    """Training curves of one machine; None when its metrics hold no loss."""
    x_key, curves = loss_curves(metrics)
    if not curves:
        return None
    figure = Figure(figsize=(3.5, 2.4), layout="constrained")
    axes = figure.add_subplot()
    for i, (key, (x, y)) in enumerate(curves.items()):
        mark = "o" if len(x) == 1 else None
        colour = SERIES[i % len(SERIES)]
        label = literal(key.replace("_", " "))
        axes.plot(x, y, color=colour, linewidth=1.6, marker=mark, markersize=4, label=label)
    strip_axes(axes, grid="y")
    axes.set_xlabel(x_key)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.set_ylim(top=_top(curves))
    axes.legend(frameon=False, fontsize=9, labelcolor=INK, loc="upper right")
    return figure


def _top(curves: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> float | None:
    """The highest loss after the first twentieth of training, with room; None for no limit.

    The first steps of a density can cost ten times the rest, and would leave the rest a flat line.
    """
    later = np.concatenate([y[len(y) // 20 :] for _, y in curves.values()])
    later = later[np.isfinite(later)]
    return float(later.max() + 0.1 * (np.ptp(later) or 1.0)) if later.size else None
