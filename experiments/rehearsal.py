"""A rehearsal: methods compared on train clips alone, where no fault may be looked at.

Some train clips of every id are held out. As they are, they are the test's normal clips; changed,
they are its anomalies: coloured (a range of bands 3 dB louder or fainter), spliced (a tenth of the
frames another id's), and swapped (given out as another id's). Which of two configs tells them apart
better can be asked without a label, and so without having seen the answers. How well a method
hears real faults a rehearsal cannot say: those are different, fainter or stronger.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np

from audio.clips import ANOMALY, NORMAL, TEST, Clip
from audio.logmels import assemble, subset
from experiments.data import DataSet, Machine, Split, split_of
from experiments.errors import ConfigError

BAND_DB, BAND_WIDTH = 3.0, 6  # mel bands
SPLICED = 0.1  # share of a clip's frames
KINDS = ("own", "coloured", "spliced", "swapped")
OF_ONE_ID = KINDS[:2]
NOTE = "a rehearsal: test clips are held-out train clips, and anomalies are made of these"


def rehearsed(data: DataSet, share: float) -> DataSet:
    """The data with fewer train clips, and with tests made of those held out.

    Args:
        data: as it was loaded; its own test clips are left alone.
        share: of each id's train clips that are held out, evenly spread, and at least one; at 0
            everything stays as it is.

    Raises:
        ConfigError: a share that leaves too little to train on.
    """
    if not 0 <= share <= 0.5:
        raise ConfigError(f"data.rehearsal={share} must be a share of the train clips, 0 to 0.5")
    if not share:
        return data
    machines = tuple(_rehearsed(machine, share) for machine in data.machines)
    return replace(data, machines=machines, notes=(*data.notes, NOTE))


def _rehearsed(machine: Machine, share: float) -> Machine:
    held = _held_out(machine.train.clips, share)
    return replace(
        machine,
        train=_without(machine.train, held, machine.ids),
        test=_test_split(machine, held),
        copies=tuple(_without(copy, held, machine.ids) for copy in machine.copies),
    )


def coloured(own: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A log-mel, (frames, mels) dB, with a range of bands louder or fainter throughout."""
    bands = np.arange(own.shape[1])
    distance = (bands - rng.uniform(0, len(bands))) / (BAND_WIDTH / 2)
    return own + rng.choice([-BAND_DB, BAND_DB]) * np.exp(-(distance**2))


def spliced(own: np.ndarray, other: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A log-mel with a run of frames out of another."""
    length = max(1, round(SPLICED * len(own)))
    first = rng.integers(len(own) - length + 1)
    run = slice(first, first + length)
    mixed = own.copy()
    mixed[run] = np.resize(other, own.shape)[run]
    return mixed


def _held_out(clips: Sequence[Clip], share: float) -> set[str]:
    """Names of the clips that are held out, the same on all processes."""
    names = set()
    for _, of_id in groupby(sorted(clips, key=lambda c: (c.id, c.name)), key=lambda c: c.id):
        own = [clip.name for clip in of_id]
        count = max(1, round(share * len(own)))
        names |= {own[(2 * i + 1) * len(own) // (2 * count)] for i in range(count)}
    return names


def _without(split: Split, held: set[str], ids: tuple[str, ...]) -> Split:
    clips = tuple(clip for clip in split.clips if clip.name not in held)
    kept = [i for i, clip in enumerate(split.mine.clips) if clip.name not in held]
    return split_of(clips, subset(split.mine, kept), ids)


def _test_split(machine: Machine, held: set[str]) -> Split:
    train, ids = machine.train, machine.ids
    kinds = KINDS if len(ids) > 1 else OF_ONE_ID
    clips = tuple(
        _test_clip(clip, kind, ids) for clip in train.clips if clip.name in held for kind in kinds
    )
    mine, frames = [], []
    for i, clip in enumerate(train.mine.clips):
        if clip.name in held:
            mine += [_test_clip(clip, kind, ids) for kind in kinds]
            frames += [_frames(train, i, kind) for kind in kinds]
    return split_of(clips, assemble(mine, frames), ids)


def _test_clip(clip: Clip, kind: str, ids: Sequence[str]) -> Clip:
    """A held-out clip under a test clip's name, such as `anomaly_id_01_spliced_00000007.wav`."""
    label, id_ = (NORMAL if kind == "own" else ANOMALY), clip.id
    if kind == "swapped":
        id_, kind = ids[(ids.index(id_) + 1) % len(ids)], f"swapped_{id_}"
    word = "anomaly" if label == ANOMALY else "normal"
    number = re.sub(r"^normal_id_\d+_", "", clip.name)
    name = f"{word}_id_{id_}_{kind}_{number}"
    return replace(clip, id=id_, split=TEST, label=label, name=name, path=None)


def _frames(train: Split, i: int, kind: str) -> np.ndarray:
    """What a clip of this process sounds like after a change."""
    own, rng = train.mine.clip(i), np.random.default_rng(i)
    if kind == "coloured":
        return coloured(own, rng)
    if kind == "spliced":
        others = np.flatnonzero(train.ids != train.ids[i])
        return spliced(own, train.mine.clip(int(rng.choice(others))), rng)
    return own
