"""A run in words: what the report says before it shows anything."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scoring.metrics import AVERAGE, MAX_FPR, Result, with_averages
from scoring.rows import ScoreRow
from scoring.tables import percent
from scoring.threshold import QUANTILE, Decision, Ranked, detection


@dataclass(frozen=True)
class Line:
    """A line of the report's results table; fractions, None for a cell without a value."""

    machine: str
    id: str
    auc: float | None
    pauc: float | None
    threshold: float | None
    precision: float | None
    recall: float | None
    f1: float | None

    @property
    def average(self) -> bool:
        """Whether it sums others up."""
        return self.id == AVERAGE


def result_lines(results: Sequence[Result], decisions: Sequence[Decision]) -> list[Line]:
    """AUC and decisions side by side, averages of each included (but of thresholds: no one's)."""
    decided = {(d.machine, d.id): d for d in decisions}
    lines: list[Line] = []
    for r in with_averages(results):
        if r.id != AVERAGE:
            d = decided[r.machine, r.id]
            detected = d.precision, d.recall, d.f1
            lines.append(Line(r.machine, r.id, r.auc, r.pauc, d.threshold, *detected))
            continue
        # A machine's average is over its ids; the last line's over the machines' averages.
        if r.machine == AVERAGE:
            parts = [line for line in lines if line.average]
        else:
            parts = [line for line in lines if line.machine == r.machine]
        means = (_mean([getattr(p, key) for p in parts]) for key in ("precision", "recall", "f1"))
        lines.append(Line(r.machine, AVERAGE, r.auc, r.pauc, None, *means))
    return lines


def _mean(values: Sequence[float | None]) -> float | None:
    """Mean of the values there are."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 clip`, `2 clips`; a plural that is not noun + s is given."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def rarity(p: float) -> str:
    """A p-value in words: how many normal clips one would hear to meet one as strange."""
    if p < 1e-6:
        return "rarer than 1 in a million normal clips"
    if p > 0.5:
        return "as ordinary as most normal clips"
    ratio = 1 / p
    digits = max(0, math.floor(math.log10(ratio)) - 1)
    return f"1 in {round(ratio, -digits):,.0f} normal clips is as strange"


def p_text(p: float) -> str:
    """A p-value in digits, two of them, and none that a fit to some hundred clips cannot know."""
    if p < 1e-6:
        return "< 0.000001"
    if p >= 0.1:
        return f"{p:.2f}"
    return f"{p:#.2g}" if p >= 1e-4 else f"{p:.6f}"


def headline(rows: Sequence[ScoreRow]) -> str:
    """What was run on what, in one sentence."""
    test = [row for row in rows if row.split == "test"]
    units = {row.unit for row in rows}
    machines = sorted({row.machine for row in rows})
    kinds = machines[0] if len(machines) == 1 else f"{len(machines)} machine types"
    return (
        f"Having heard {count(sum(row.split == 'train' for row in rows), 'normal clip')} of "
        f"{count(len(units), 'machine')} ({kinds}), the model ranked "
        f"{count(len(test), 'test clip')} by how strange they sound."
    )


def verdict(results: Sequence[Result]) -> str:
    """The average AUC and pAUC, the best and the worst machine type."""
    *machines, overall = [r for r in with_averages(results) if r.id == AVERAGE]
    if overall.auc is None:
        return (
            "Its test clips are not labelled both normal and anomalous, so this is a ranking of "
            "clips and no verdict on the model."
        )
    text = (
        f"Given one anomalous and one normal clip of the same machine, it ranks the anomalous one "
        f"higher {percent(overall.auc)}% of the time (AUC, averaged over machines; 50 is chance). "
        f"Counting only false alarm rates up to {MAX_FPR:.0%}, the figure is "
        f"{percent(overall.pauc)} (pAUC)."
    )
    judged = sorted((m.auc, m.machine) for m in machines if m.auc is not None)
    if len(judged) > 1:
        (low, worst), (high, best) = judged[0], judged[-1]
        text += (
            f" It hears faults best on {best} ({percent(high)}) "
            f"and least well on {worst} ({percent(low)})."
        )
    return text


def alarms(clips: Sequence[Ranked]) -> str:
    """What the thresholds do, with and without labels; empty when there is nothing to judge."""
    if not clips:
        return ""
    raised = sum(clip.alarm for clip in clips)
    normal = [clip for clip in clips if clip.row.label == 0]
    anomalous = [clip for clip in clips if clip.row.label == 1]
    expected = f"{1 - QUANTILE:.0%}"
    text = f"{count(raised, 'clip')} of {len(clips):,} lie above the threshold of their machine, "
    text += f"which is set so that about {expected} of normal clips do."
    if anomalous:
        caught = sum(clip.alarm for clip in anomalous)
        total = count(len(anomalous), "labelled anomaly", "labelled anomalies")
        text += f" Caught: {caught:,} of {total}."
    if normal:
        false = sum(clip.alarm for clip in normal)
        text += f" False alarms: {false:,} of {count(len(normal), 'labelled normal clip')}"
        text += f" ({false / len(normal):.0%})."
    return text


@dataclass(frozen=True)
class Tile:
    """A number worth a glance."""

    value: str
    name: str
    note: str


def tiles(results: Sequence[Result], clips: Sequence[Ranked]) -> list[Tile]:
    """The numbers at the top of the report; those about labels only where there are labels."""
    overall = with_averages(results)[-1]
    raised = sum(clip.alarm for clip in clips)
    found = [
        Tile(f"{len(clips):,}", "test clips", count(len({c.row.unit for c in clips}), "machine")),
    ]
    if overall.auc is None:
        found.append(Tile(f"{raised:,}", "above threshold", f"{raised / max(len(clips), 1):.0%}"))
        if clips:
            top = min(clips, key=lambda clip: clip.p)
            found.append(Tile(f"p {p_text(top.p)}", "strangest clip", top.row.name))
        return found
    labels = np.array([clip.row.label for clip in clips if clip.row.label is not None], dtype=int)
    alarm = np.array([clip.alarm for clip in clips if clip.row.label is not None], dtype=bool)
    _, recall, _ = detection(labels, alarm)
    false = float(np.mean(alarm[labels == 0]))
    return [
        Tile(percent(overall.auc), "AUC %", "50 is chance, 100 perfect"),
        Tile(percent(overall.pauc), "pAUC %", f"false alarms up to {MAX_FPR:.0%}"),
        Tile(f"{recall:.0%}", "anomalies caught", "at the thresholds below"),
        Tile(f"{false:.0%}", "false alarms", f"{1 - QUANTILE:.0%} expected"),
        *found,
    ]
