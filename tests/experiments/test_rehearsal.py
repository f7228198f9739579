import csv
import time
from collections import Counter

import numpy as np
import pytest

from audio.clips import Clip
from audio.logmels import LogMels
from experiments.data import DataSet, Machine, Split
from experiments.errors import ConfigError
from experiments.experiment import run
from experiments.rehearsal import coloured, rehearsed, spliced
from experiments.sources import Source

IDS = ("01", "02", "04")
FRAMES, MELS = 20, 32
LEVELS = {"01": -20.0, "02": -40.0, "04": -60.0}


def split(clips, ids=IDS, every=1, first=0):
    """A split whose process holds every so-manieth clip; a clip's frames are its id's level."""
    mine = clips[first::every]
    frames = np.concatenate([np.full((FRAMES, MELS), LEVELS[c.id], np.float32) for c in mine])
    logmels = LogMels(tuple(mine), frames, np.arange(len(mine) + 1) * FRAMES)
    positions = np.arange(first, len(clips), every)
    return Split(tuple(clips), logmels, positions, np.array([ids.index(c.id) for c in mine]))


def data(ids=IDS, each=10, **share):
    train = [
        Clip("fan", id_, "train", 0, f"normal_id_{id_}_{i:08d}.npy")
        for id_ in ids
        for i in range(each)
    ]
    test = [Clip("fan", ids[0], "test", 1, f"anomaly_id_{ids[0]}_00000000.npy")]
    copies = (split(train, ids, **share),)
    machine = Machine("fan", ids, split(train, ids, **share), split(test, ids), copies)
    return DataSet((machine,), (), (), Source(train + test))


def table(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def kinds(clips):
    return Counter((c.id, c.label, c.name.split("_")[3]) for c in clips)


def test_held_out_clips_are_the_normal_ones_and_changed_the_anomalies():
    (machine,) = rehearsed(data(), 0.2).machines
    assert len(machine.train.clips) == len(machine.copies[0].clips) == 24
    for id_ in IDS:
        own = {key[1:]: n for key, n in kinds(machine.test.clips).items() if key[0] == id_}
        assert own == {(0, "own"): 2, (1, "coloured"): 2, (1, "spliced"): 2, (1, "swapped"): 2}
    numbers = {c.name.rpartition("_")[2] for c in machine.test.clips if c.id == "01"}
    trained = {c.name.rpartition("_")[2] for c in machine.train.clips if c.id == "01"}
    assert numbers & trained == set()
    assert len({c.name for c in machine.test.clips}) == len(machine.test.clips)
    assert machine.test.mine.clips == machine.test.clips


def test_what_each_kind_sounds_like():
    (machine,) = rehearsed(data(), 0.2).machines
    for i, clip in enumerate(machine.test.mine.clips):
        frames, level = machine.test.mine.clip(i), LEVELS[clip.id]
        strange = np.abs(frames - level) > 0.1
        kind = clip.name.split("_")[3]
        if kind == "own":
            assert not strange.any()
        elif kind == "coloured":
            assert 0 < strange[0].mean() < 0.5
            assert (frames == frames[0]).all()
            assert np.abs(frames - level).max() == pytest.approx(3, abs=0.3)
        elif kind == "spliced":
            assert strange.all(1).sum() == strange.any(1).sum() == 2
        else:
            assert (frames == LEVELS[clip.name.split("_")[4]]).all()
            assert strange.all()
        assert machine.test.ids[i] == IDS.index(clip.id)


def test_processes_hold_out_the_same_clips_and_share_the_test():
    whole = rehearsed(data(), 0.3).machines[0]
    shares = [rehearsed(data(every=2, first=first), 0.3).machines[0] for first in range(2)]
    for split in ("train", "test"):
        everything = getattr(whole, split)
        held = [getattr(share, split) for share in shares]
        assert all(each.clips == everything.clips for each in held)
        positions = np.concatenate([each.positions for each in held])
        assert np.array_equal(np.sort(positions), np.arange(len(everything.clips)))
        for each in held:
            there = tuple(everything.clips[position] for position in each.positions)
            assert there == each.mine.clips


def test_one_id_has_no_other_to_borrow_from():
    (machine,) = rehearsed(data(("01",)), 0.2).machines
    assert kinds(machine.test.clips) == {("01", 0, "own"): 2, ("01", 1, "coloured"): 2}


def test_no_share_is_no_rehearsal_and_a_wrong_one_is_named():
    whole = data()
    assert rehearsed(whole, 0.0) is whole
    for share in (-0.1, 0.9):
        with pytest.raises(ConfigError, match=r"data\.rehearsal="):
            rehearsed(whole, share)


def test_a_spliced_clip_borrows_a_run_and_leaves_its_source_alone():
    own, other = np.zeros((30, 4)), np.ones((7, 4))
    mixed = spliced(own, other, np.random.default_rng(0))
    (borrowed,) = np.nonzero(mixed.all(1))
    assert np.array_equal(borrowed, borrowed[0] + np.arange(3))
    assert not own.any()


def test_colours_are_louder_and_fainter():
    changes = [coloured(np.zeros((5, 64)), np.random.default_rng(i)) for i in range(20)]
    peaks = np.array([each[0][np.abs(each[0]).argmax()] for each in changes])
    assert {-1, 1} == set(np.sign(peaks))


def test_a_rehearsal_never_opens_the_test_and_is_reported(tmp_path, clips, tiny):
    config = tiny()
    config.data.rehearsal = 0.3
    for path in (clips / "pump" / "test").glob("anomaly*"):
        path.unlink()  # nothing of it can have been used
    report = run(config, tmp_path / "run", time.monotonic())
    rows = table(tmp_path / "run" / "scores.csv")
    test = Counter(row["label"] for row in rows if row["split"] == "test")
    assert test == {"0": 4, "1": 12}
    assert 0 <= float(table(tmp_path / "run" / "results.csv")[-1]["auc"]) <= 1
    page = report.read_text()
    assert any(f"_{kind}_" in page for kind in ("spliced", "swapped", "coloured"))
    assert "a rehearsal: test clips are held-out train clips" in page
