"""Several models that listen together: their scores on one scale, then their mean or maximum.

Each member is standardised per machine and id by the mean and deviation of its scores over that
id's train clips, so that a member whose scores lie in thousands of nats does not outvote one whose
scores are probabilities. The mean hears what most members hear; the maximum what any one does.

A member may be several variants, models that differ in their augmentation alone. Each variant is
standardised, their z scores are averaged, and the average is standardised once more: averaging
narrows a member's spread, and a narrow one would neither count in a mean nor ever be the maximum.

Source: Giri et al., DCASE 2020 Challenge Task 2, section 2.3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from statistics import fmean

from scoring.members import EnsembleError, Member, align, clip_of, name_clips
from scoring.rows import ScoreRow
from scoring.standardise import fit_standards, standardise

# `fmean` sums exactly: the order in which members are listed does not change a single bit.
COMBINATIONS: dict[str, Callable[[Sequence[float]], float]] = {"mean": fmean, "max": max}
_PREFIX = "ensemble_"


@dataclass(frozen=True)
class Ensemble:
    """Members and what they make together, all of the same clips in the same order.

    Attributes:
        members: Name -> the member's z scores, train and test.
        combined: `mean` and `max` -> the members' scores so combined.
    """

    members: Mapping[str, list[ScoreRow]]
    combined: Mapping[str, list[ScoreRow]]

    @property
    def systems(self) -> dict[str, list[ScoreRow]]:
        """All there is to compare: the members, then `ensemble_mean` and `ensemble_max`."""
        together = {f"{_PREFIX}{how}": rows for how, rows in self.combined.items()}
        return {**self.members, **together}


def ensemble(members: Sequence[Member]) -> Ensemble:
    """Joins members into ensembles.

    Args:
        members: One or more, in the order tables are to show them; order changes no score.

    Raises:
        EnsembleError: Names that are empty or used twice; clips that are missing or doubled in a
            member, or labelled differently; an id without train clips, or whose train clips all
            have one score.
    """
    _check(members)
    called = [_calls(member) for member in members]
    rows = [rows for member in members for rows in member.variants]
    aligned = align(dict(zip(chain.from_iterable(called), rows, strict=True)))
    voices = {
        member.name: _voice({call: aligned[call] for call in calls})
        for member, calls in zip(members, called, strict=True)
    }
    return Ensemble(voices, {how: combine(list(voices.values()), how) for how in COMBINATIONS})


def combine(systems: Sequence[Sequence[ScoreRow]], how: str) -> list[ScoreRow]:
    """The clips of aligned systems, each with the `mean` or `max` of its scores."""
    join = COMBINATIONS[how]
    return [
        replace(rows[0], score=float(join([row.score for row in rows])))
        for rows in zip(*systems, strict=True)
    ]


def _check(members: Sequence[Member]) -> None:
    """Whether there is something to join, and a name for each column of a table."""
    if not members:
        raise EnsembleError("an ensemble needs at least one member")
    taken = {f"{_PREFIX}{how}" for how in COMBINATIONS}
    for member in members:
        if not member.name or member.name in taken:
            raise EnsembleError(f"two members cannot be called {member.name!r}: rename one")
        if not member.variants:
            raise EnsembleError(f"member {member.name!r} has no scores: give it a scores.csv")
        taken.add(member.name)


def _calls(member: Member) -> list[str]:
    """What errors call a member's variants."""
    call, count = f"member {member.name!r}", len(member.variants)
    return [call] if count == 1 else [f"{call}, variant {i}" for i in range(1, count + 1)]


def _voice(variants: Mapping[str, Sequence[ScoreRow]]) -> list[ScoreRow]:
    """A member's z scores from its aligned variants."""
    scaled = [_z(call, rows) for call, rows in variants.items()]
    if len(scaled) == 1:
        return scaled[0]
    return _z(" with ".join(variants), combine(scaled, "mean"))


def _z(call: str, rows: Sequence[ScoreRow]) -> list[ScoreRow]:
    """A model's z scores; unlike `standardise`, it needs a true deviation for every id.

    A score that is only centred would still be on its own scale, and outvote or be outvoted.
    """
    standards = fit_standards(rows)
    if alien := [clip_of(row) for row in rows if row.unit not in standards]:
        raise EnsembleError(
            f"{call} has no train clips to standardise {name_clips(alien)} by: "
            "score the train clips of that id too"
        )
    if flat := [clip_of(r) for r in rows if r.split == "train" and not standards[r.unit].std]:
        raise EnsembleError(
            f"{call} gives all train clips of an id one score, which is no scale to put others "
            f"on: {name_clips(flat)}; add train clips of it, or leave the member out"
        )
    return standardise(rows, standards)
