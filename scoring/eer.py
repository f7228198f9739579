"""The equal error rate: where as many are missed as are falsely heard."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import roc_curve


def equal_error_rate(labels: np.ndarray, scores: np.ndarray) -> float | None:
    """The error rate at the threshold where misses and false alarms are equally frequent.

    Between two thresholds the rates are taken to change linearly, as ties do when they are broken
    by chance.

    Args:
        labels: (n,) 1 where it is there, else 0.
        scores: (n,) higher where it is more likely there.

    Returns:
        A fraction, 0.5 for chance; None unless both labels are present.
    """
    if len(np.unique(labels)) < 2:
        return None
    false_alarms, hits, _ = roc_curve(labels, scores, drop_intermediate=False)
    # Rising from -1 to 1, as thresholds fall.
    excess = false_alarms - (1 - hits)
    after = int(np.argmax(excess >= 0))
    before = after - 1
    share = -excess[before] / (excess[after] - excess[before])
    return float(false_alarms[before] + share * (false_alarms[after] - false_alarms[before]))
