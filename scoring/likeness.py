"""How like real clips sampled ones are, in a few numbers that eyes and ears can be checked by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Likeness:
    """What is said of some clips of one id.

    Attributes:
        id: Of the unit.
        kind: Which clips, in a word or two.
        num_clips: How many.
        nats: Their mean negative log-density under the model, nats a bin.
        mean_off: Mean over bins of |mean - that of the reference clips|, dB; None for these.
        std_off: The same of the standard deviation, dB.
        in_time: Correlation of a bin with itself a frame later, mean over bins.
        in_frequency: Correlation of a bin with the next one up, mean over bins.
    """

    id: str
    kind: str
    num_clips: int
    nats: float
    mean_off: float | None
    std_off: float | None
    in_time: float
    in_frequency: float


def likeness(
    id_: str,
    kind: str,
    clips: Sequence[np.ndarray],
    nats: float,
    reference: Sequence[np.ndarray] | None = None,
) -> Likeness:
    """Measures some clips, (frames, mels) dB each, against others of the same unit."""
    mean_off, std_off = None, None
    if reference is not None:
        (mean, std), (its_mean, its_std) = _moments(clips), _moments(reference)
        mean_off = float(np.abs(mean - its_mean).mean())
        std_off = float(np.abs(std - its_std).mean())
    return Likeness(id_, kind, len(clips), nats, mean_off, std_off, *correlations(clips))


def correlations(clips: Sequence[np.ndarray]) -> tuple[float, float]:
    """Of neighbours in time and in frequency, about every clip's own mean spectrum.

    A clip that is louder than another throughout adds to neither. Bins that never change are
    left out.
    """
    around = [clip - clip.mean(0) for clip in (np.asarray(clip, np.float64) for clip in clips)]
    in_time = _correlation([(clip[:-1], clip[1:]) for clip in around])
    in_frequency = _correlation([(clip[:, :-1], clip[:, 1:]) for clip in around])
    return in_time, in_frequency


def _correlation(pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> float:
    """Mean over columns of the correlation of two of (frames, columns), over all pairs."""
    sums = np.sum([[(a * b).sum(0), (a * a).sum(0), (b * b).sum(0)] for a, b in pairs], axis=0)
    ab, aa, bb = sums[:, (sums[1:] > 0).all(0)]
    return float((ab / np.sqrt(aa * bb)).mean()) if ab.size else 0.0


def _moments(clips: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each bin over all frames, (mels,) dB."""
    frames = np.concatenate([np.asarray(clip, np.float64) for clip in clips])
    return frames.mean(0), frames.std(0)


def format_likeness(lines: Sequence[Likeness]) -> str:
    """The numbers as a table for a terminal."""
    head = f"{'id':<6} {'clips':<16} {'nats/bin':>9} {'mean off':>9} {'std off':>8} "
    rows = [head + f"{'in time':>8} {'in frequency':>13}"]
    for line in lines:
        offs = [
            f"{'-':>{width}}" if off is None else f"{off:>{width - 3}.2f} dB"
            for off, width in ((line.mean_off, 9), (line.std_off, 8))
        ]
        rows.append(
            f"{line.id:<6} {f'{line.num_clips} {line.kind}':<16} {line.nats:>9.3f} "
            f"{offs[0]} {offs[1]} {line.in_time:>8.2f} {line.in_frequency:>13.2f}"
        )
    return "\n".join(rows)
