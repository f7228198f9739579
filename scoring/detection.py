"""How well events are detected: event-based error rate and F1, by sed_eval.

Mesaros, Heittola and Virtanen, "Metrics for polyphonic sound event detection", 2016; as in DCASE
2017's second task an event is found if its onset is within a collar of the true one, whatever its
offset; one class at a time over all of its clips, those without an event too; then the mean over
classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sed_eval.sound_event import EventBasedMetrics

Span = tuple[float, float]
LABEL = "event"


@dataclass(frozen=True)
class Detected:
    """What came of the detections of one class.

    Attributes:
        error_rate: (deletions + insertions) / events; None where there are no events.
        f1: of events, a fraction; None likewise.
        num_events: that there are.
        num_missed, num_false: deletions and insertions.
    """

    error_rate: float | None
    f1: float | None
    num_events: int
    num_missed: int
    num_false: int


def detected(
    truth: Mapping[str, Span | None], marks: Mapping[str, Sequence[Span]], collar: float = 0.5
) -> Detected:
    """Compares marks with the truth.

    Args:
        truth: clip -> its event's (onset, offset) in seconds, or None.
        marks: clip -> the spans that were marked.
        collar: by how much an onset may be off, seconds.
    """
    metrics = EventBasedMetrics(
        event_label_list=[LABEL],
        evaluate_onset=True,
        evaluate_offset=False,
        t_collar=collar,
    )
    for name, event in truth.items():
        metrics.evaluate(_events(name, [event] if event else []), _events(name, marks[name]))
    counts = metrics.overall
    num_events = round(counts["Nref"])
    if not num_events:
        return Detected(None, None, 0, 0, round(counts["Nsys"]))
    f1 = metrics.results_overall_metrics()["f_measure"]["f_measure"]
    missed, false = round(num_events - counts["Ntp"]), round(counts["Nsys"] - counts["Ntp"])
    error_rate = metrics.results_overall_metrics()["error_rate"]["error_rate"]
    return Detected(float(error_rate), float(np.nan_to_num(f1)), num_events, missed, false)


def found(truth: Span | None, marks: Sequence[Span], collar: float = 0.5) -> str:
    """What came of one clip: `found`, `missed`, `false alarm` or `quiet`, as it should be."""
    if truth is None:
        return "false alarm" if marks else "quiet"
    hit = any(abs(onset - truth[0]) <= collar for onset, _ in marks)
    return "found" if hit and len(marks) == 1 else "false alarm" if marks else "missed"


def _events(name: str, spans: Sequence[Span]) -> list[dict[str, object]]:
    return [
        {"filename": name, "event_label": LABEL, "onset": onset, "offset": offset}
        for onset, offset in spans
    ]
