r"""When to raise the alarm: a gamma distribution over each unit's train scores.

The decision threshold is the 90th percentile of a gamma distribution fitted to the train scores
of the unit, as in the DCASE baselines from 2021 on: about one normal clip in ten lies above it.
The same fit calibrates: `p = P(score' >= score)` is how often a normal clip would be as strange.

Those baselines score by a squared error, which is positive; a negative log-density is not, and
its zero means nothing. So the gamma here has three parameters (Pearson's type III),

    (score - loc) / scale ~ Gamma(shape),

and the fit must follow the scores when they are shifted or stretched. `scipy.stats.gamma.fit`
with all three free does not: its likelihood is unbounded as loc meets the lowest score, and on
heavy-tailed scores its "90th percentile" covered 60 % (lognormal, 500 clips, 20 draws). Here loc
comes from the skewness, the rest from scipy's maximum likelihood given loc, which has one
solution: 90 % on the same draws, and within 1 % of the free fit on samples from a gamma.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from scoring.rows import ScoreRow, Unit, by_unit, labelled, scores_of
from scoring.standardise import require_train

QUANTILE = 0.9

# Below this skewness the gamma is a normal distribution to the eye (shape 4 / skew^2 = 10^4); it
# also catches scores that lean left, which no gamma describes.
_LEAST_SKEW = 0.02


@dataclass(frozen=True)
class GammaFit:
    """A shifted gamma distribution; a point mass at `loc` when `scale` is 0.

    Attributes:
        shape: Gamma shape, dimensionless, > 0.
        loc: Where the distribution starts, in units of the score.
        scale: In units of the score, >= 0.
    """

    shape: float
    loc: float
    scale: float

    def quantile(self, q: float) -> float:
        """The score that a fraction q of normal clips stays below."""
        return float(self.loc + self.scale * stats.gamma.ppf(q, self.shape))

    def tail(self, scores: np.ndarray | float) -> np.ndarray:
        """p-values, shaped as `scores`: how often a normal clip is at least this strange.

        For a point mass, 1 up to it and 0 above. Far out in the tail this extrapolates a curve
        fitted to at most some hundred clips: trust the order more than the digits.
        """
        scores = np.asarray(scores, dtype=np.float64)
        if self.scale == 0:
            return np.where(scores > self.loc, 0.0, 1.0)
        with np.errstate(over="ignore"):  # so far out that it is infinitely strange: p = 0
            z = (scores - self.loc) / self.scale
        return np.asarray(stats.gamma.sf(z, self.shape))


@dataclass(frozen=True)
class Decision:
    """The threshold of one unit and what it does on labelled test clips.

    Attributes:
        machine: Machine type.
        id: Machine id.
        threshold: A score above it is an anomaly.
        precision: Of the alarms, how many were anomalies; 0 when none was raised, as in the
            DCASE baseline. None, as the next two, unless both classes are labelled.
        recall: Of the anomalies, how many raised an alarm.
        f1: Harmonic mean of the two.
    """

    machine: str
    id: str
    threshold: float
    precision: float | None
    recall: float | None
    f1: float | None


def fit_gamma(scores: np.ndarray) -> GammaFit:
    """Fits a shifted gamma to scores (n,), n >= 1, of either sign.

    The scores are standardised first, so the fit follows any shift and stretch of them. Equal
    scores, or a single one, give a point mass: only what is stranger than all of them is strange.

    Raises:
        ValueError: No scores.
    """
    scores = np.asarray(scores, dtype=np.float64)
    if not scores.size:
        raise ValueError("a threshold needs at least one train score")
    mean, std = float(np.mean(scores)), float(np.std(scores))
    if std <= 1e-12 * float(np.max(np.abs(scores))):
        return GammaFit(1.0, float(np.max(scores)), 0.0)
    z = (scores - mean) / std
    skew = max(float(np.mean(z**3)), _LEAST_SKEW)
    # A gamma of unit variance and mean 0 with this skewness starts at -2 / skew; but no score may
    # lie before the start, so leave the lowest one an average spacing of room.
    start = min(-2 / skew, float(z.min() - np.ptp(z) / len(z)))
    shape, start, scale = stats.gamma.fit(z, floc=start)
    return GammaFit(float(shape), mean + std * float(start), std * float(scale))


def fit_units(rows: Iterable[ScoreRow]) -> dict[Unit, GammaFit]:
    """A gamma fit for every unit that has train rows."""
    train = by_unit(rows, split="train")
    return {unit: fit_gamma(scores_of(clips)) for unit, clips in train.items()}


def p_values(rows: Sequence[ScoreRow], fits: Mapping[Unit, GammaFit]) -> np.ndarray:
    """How strange each clip is for its own unit, (n,) in [0, 1]; smaller is stranger.

    Raises:
        ValueError: A unit has no train clips.
    """
    require_train(rows, fits)
    return np.array([float(fits[row.unit].tail(row.score)) for row in rows], dtype=np.float64)


def decide(rows: Sequence[ScoreRow], fits: Mapping[Unit, GammaFit]) -> list[Decision]:
    """The threshold of every unit in `fits`, with precision, recall and F1 where labels allow.

    Raises:
        ValueError: A unit has test clips but no train clips.
    """
    require_train(rows, fits)
    tests = by_unit(rows, split="test")
    decisions = []
    for unit, fit in sorted(fits.items()):
        threshold = fit.quantile(QUANTILE)
        labels, scores = labelled(tests.get(unit, []))
        decisions.append(Decision(*unit, threshold, *detection(labels, scores > threshold)))
    return decisions


def detection(
    labels: np.ndarray, alarms: np.ndarray
) -> tuple[float, float, float] | tuple[None, None, None]:
    """Precision, recall and F1 of alarms (n,) bool against labels (n,), or None thrice.

    None unless both classes are present: with one alone, at least one of the three says nothing.
    """
    if len(np.unique(labels)) < 2:
        return None, None, None
    hits = int(np.sum(alarms & (labels == 1)))
    precision = hits / max(int(np.sum(alarms)), 1)
    recall = hits / int(np.sum(labels == 1))
    f1 = 2 * precision * recall / (precision + recall) if hits else 0.0
    return precision, recall, f1


@dataclass(frozen=True)
class Ranked:
    """A test clip in its machine's ranking.

    Attributes:
        row: The clip.
        rank: 1 is the strangest of its machine.
        p: Its p-value under its unit's fit.
        threshold: Its unit's threshold.
    """

    row: ScoreRow
    rank: int
    p: float
    threshold: float

    @property
    def alarm(self) -> bool:
        """Whether the clip lies above its threshold."""
        return self.row.score > self.threshold


def rank_clips(rows: Sequence[ScoreRow], fits: Mapping[Unit, GammaFit]) -> dict[str, list[Ranked]]:
    """Each machine's test clips, strangest first.

    Ordered by p-value, which puts a machine's units on one scale; p-values that underflow to 0
    are ordered by how far the score lies above its threshold.

    Raises:
        ValueError: A unit has test clips but no train clips.
    """
    test = [row for row in rows if row.split == "test"]
    thresholds = {unit: fit.quantile(QUANTILE) for unit, fit in fits.items()}
    judged = sorted(
        zip(p_values(test, fits).tolist(), test, strict=True),
        key=lambda pair: (pair[0], thresholds[pair[1].unit] - pair[1].score),
    )
    ranking: dict[str, list[Ranked]] = {
        machine: [] for machine in sorted({r.machine for r in test})
    }
    for p, row in judged:
        clips = ranking[row.machine]
        clips.append(Ranked(row, len(clips) + 1, p, thresholds[row.unit]))
    return ranking
