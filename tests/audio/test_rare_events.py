import csv
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from audio.clips import TEST, TRAIN, DataError
from audio.rare_events import MixtureSettings, build_mixtures, list_mixtures, plan_mixtures
from audio.rare_events.gate import active_runs
from audio.rare_events.mixing import mix, parts
from audio.rare_events.settings import SPLITS
from audio.rare_events.synthetic import BEDS, EVENTS

RATE = 4000
SMALL = MixtureSettings(
    num_train=6, num_valid=4, num_test=4, seconds=6.0, sample_rate=RATE, num_sources=8
)


def rms(signal):
    return np.sqrt(np.mean(np.square(signal)))


@pytest.fixture(scope="module")
def planned():
    return plan_mixtures(SMALL)


@pytest.fixture(scope="module")
def built(planned, tmp_path_factory):
    return build_mixtures(tmp_path_factory.mktemp("mixtures") / "set", planned, SMALL)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """A person's own: tones in the middle of silence, noises for backgrounds, one of them short."""
    root, rng = tmp_path_factory.mktemp("own"), np.random.default_rng(0)
    for name, pitch in (("beep", 700.0), ("buzz", 150.0)):
        (root / "events" / name).mkdir(parents=True)
        for i in range(5):
            signal = np.zeros(2 * RATE)
            time = np.arange(RATE // 2) / RATE
            signal[RATE // 2 : RATE] = 0.3 * np.sin(2 * np.pi * (pitch + 20 * i) * time)
            soundfile.write(root / "events" / name / f"{i}.wav", signal, RATE)
    (root / "backgrounds" / "rain").mkdir(parents=True)
    for i, seconds in enumerate((8, 8, 1, 1)):
        noise = 0.1 * rng.standard_normal(seconds * RATE)
        soundfile.write(root / "backgrounds" / "rain" / f"{i}.flac", noise, RATE)
    return root


def test_half_of_every_class_and_split_has_its_event(planned):
    for split in SPLITS:
        for target in EVENTS:
            there = [r.event is not None for r in planned if (r.split, r.target) == (split, target)]
            assert len(there) == SMALL.count(split) and sum(there) == len(there) // 2


def test_no_source_is_in_two_splits(planned):
    for role in ("event", "background"):
        of_split = {
            split: {getattr(r, role).name for r in planned if r.split == split and getattr(r, role)}
            for split in SPLITS
        }
        assert all(of_split.values())
        for one, other in (("train", "valid"), ("train", "test"), ("valid", "test")):
            assert not of_split[one] & of_split[other]


def test_the_ratio_in_the_events_span_is_the_drawn_one(planned):
    drawn = set()
    for recipe in planned:
        bed, event = parts(recipe, SMALL)
        if recipe.event is None:
            assert not event.any()
            continue
        span = slice(recipe.onset, recipe.offset)
        measured = 20 * np.log10(rms(event[span]) / rms(bed[span]))
        assert measured == pytest.approx(recipe.ratio_db, abs=0.1)
        outside = np.delete(event, np.arange(*span.indices(len(event))))
        assert not outside.any()
        drawn.add(recipe.ratio_db)
    assert drawn <= set(SMALL.ratios_db) and len(drawn) > 1


def test_onsets_are_uniform_where_the_event_fits():
    many = plan_mixtures(replace(SMALL, num_train=400, classes=("shot",)))
    places = []
    for recipe in (r for r in many if r.split == "train" and r.event):
        room = int(SMALL.seconds * RATE) - (recipe.span[1] - recipe.span[0])
        assert 0 <= recipe.onset <= room
        places.append(recipe.onset / room)
    assert np.mean(places) == pytest.approx(0.5, abs=0.06)
    assert np.std(places) == pytest.approx(np.sqrt(1 / 12), abs=0.04)


def test_the_files_hold_the_mixtures_and_the_table_what_is_in_them(planned, built):
    lines = list(csv.DictReader((built / "annotations.csv").read_text().splitlines()))
    assert len(lines) == len(planned)
    for recipe, line in zip(planned, lines, strict=True):
        assert (line["class"], line["split"], line["name"]) == (
            recipe.target,
            recipe.split,
            recipe.name,
        )
        if recipe.event:
            assert float(line["onset"]) == pytest.approx(recipe.onset / RATE, abs=1e-4)
            assert float(line["offset"]) == pytest.approx(recipe.offset / RATE, abs=1e-4)
            assert float(line["ratio_db"]) == recipe.ratio_db
    signal, rate = soundfile.read(built / planned[0].target / planned[0].name)
    assert rate == RATE and len(signal) == 6 * RATE
    np.testing.assert_allclose(signal, mix(planned[0], SMALL), atol=1e-4)


def test_mixtures_are_the_same_every_time_and_others_with_another_seed(planned):
    again, other = plan_mixtures(SMALL), plan_mixtures(replace(SMALL, seed=1))
    np.testing.assert_array_equal(mix(again[5], SMALL), mix(planned[5], SMALL))
    assert not np.allclose(mix(other[5], SMALL), mix(planned[5], SMALL))


def test_listing_says_what_each_clip_is_for(built):
    every = list_mixtures(built, ("shot",))
    assert {each.clip.machine for each in every} == {"shot"}
    assert {(each.split, each.clip.split) for each in every} == {
        ("train", TRAIN),
        ("valid", TRAIN),
        ("test", TEST),
    }
    assert all((each.event is not None) == each.clip.label for each in every)


def test_a_folder_of_ones_own_is_mixed_with_events_where_the_gate_finds_them(recordings):
    settings = replace(SMALL, classes=("beep",))
    planned = plan_mixtures(settings, recordings)
    assert {recipe.target for recipe in planned} == {"beep"}
    for recipe in (r for r in planned if r.event):
        first, after = recipe.span
        assert first == pytest.approx(RATE // 2, abs=0.03 * RATE)
        assert after == pytest.approx(RATE, abs=0.03 * RATE)
    assert {r.background.name.split("/")[0] for r in planned} == {"rain"}


def test_a_short_background_is_repeated_without_a_gap(recordings):
    short = [r for r in plan_mixtures(SMALL, recordings) if len(r.background.signal()) == RATE]
    assert short
    bed, _ = parts(short[0], SMALL)
    levels = [rms(part) for part in np.array_split(bed, 60)]
    assert min(levels) > 0.7 * np.median(levels)


def test_spans_can_be_annotated(recordings, tmp_path):
    for folder in ("events", "backgrounds"):
        (tmp_path / folder).symlink_to(recordings / folder)
    own = tmp_path / "annotated"
    (own / "events" / "beep").mkdir(parents=True)
    (own / "backgrounds").symlink_to(recordings / "backgrounds")
    for path in (recordings / "events" / "beep").iterdir():
        (own / "events" / "beep" / path.name).symlink_to(path)
    lines = ["file,onset,offset", *(f"beep/{i}.wav,0.1,1.9" for i in range(5))]
    (own / "events" / "spans.csv").write_text("\n".join(lines))
    spans = {r.span for r in plan_mixtures(SMALL, own) if r.event}
    assert spans == {(int(0.1 * RATE), int(1.9 * RATE))}
    (own / "events" / "spans.csv").write_text("file,onset,offset\nbeep/0.wav,2,1\n")
    with pytest.raises(DataError, match=r"spans\.csv is no table of file, onset, offset"):
        plan_mixtures(SMALL, own)


def test_what_is_missing_is_said_in_a_line(recordings, tmp_path):
    with pytest.raises(DataError, match="there is no synthetic cow"):
        plan_mixtures(replace(SMALL, classes=("cow",)))
    with pytest.raises(DataError, match="has no cow; it has beep, buzz"):
        plan_mixtures(replace(SMALL, classes=("cow",)), recordings)
    with pytest.raises(DataError, match="has no folder of recordings"):
        plan_mixtures(SMALL, tmp_path)
    (tmp_path / "events" / "beep").mkdir(parents=True)
    soundfile.write(tmp_path / "events" / "beep" / "silence.wav", np.zeros(RATE), RATE)
    with pytest.raises(DataError, match="0 recordings of beep that are not silent"):
        plan_mixtures(SMALL, tmp_path)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"num_test": 1}, "num_test=1: set it to 2 or more"),
        ({"seconds": 0}, "seconds=0: set it above 0"),
        ({"ratios_db": ()}, "ratios_db is empty"),
        ({"test_share": 0.9}, "leave a share to train on"),
    ],
)
def test_impossible_settings_are_refused(changes, said):
    with pytest.raises(DataError, match=said):
        replace(SMALL, **changes)


def test_a_table_that_cannot_be_used_is_named(built, tmp_path):
    def write(*lines):
        text = "\n".join(["class,split,name,onset,offset", *lines])
        (tmp_path / "annotations.csv").write_text(text)

    with pytest.raises(DataError, match=r"annotations\.csv cannot be used"):
        list_mixtures(tmp_path)
    write("cry,later,a.flac,,")
    with pytest.raises(DataError, match="split 'later' is none of train, valid, test"):
        list_mixtures(tmp_path)
    write("cry,train,a.flac,2,1")
    with pytest.raises(DataError, match=r"onset 2\.0 and offset 1\.0"):
        list_mixtures(tmp_path)
    write("cry,train,a.flac,1,2", "cry,train,a.flac,3,4")
    with pytest.raises(DataError, match=r"two lines of cry/a\.flac"):
        list_mixtures(tmp_path)
    write("cry,train,a.flac,,")
    with pytest.raises(DataError, match=r"a\.flac, which is not there"):
        list_mixtures(tmp_path)
    (tmp_path / "cry").mkdir()
    (tmp_path / "cry" / "a.flac").write_bytes(b"")
    with pytest.raises(DataError, match="has no valid, test clips of cry"):
        list_mixtures(tmp_path)
    with pytest.raises(DataError, match="has no clips of shot"):
        list_mixtures(tmp_path, ("shot",))


def test_a_set_that_cannot_be_written_is_said(planned, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot write mixtures"):
        build_mixtures(tmp_path / "file" / "set", planned, SMALL)


def test_the_gate_finds_runs_and_bridges_short_gaps():
    signal = np.zeros(10 * RATE)
    for start, stop in ((1.0, 2.0), (2.2, 3.0), (6.0, 7.0)):
        signal[int(start * RATE) : int(stop * RATE)] = 0.5
    signal += 0.001
    runs = [(a / RATE, b / RATE) for a, b in active_runs(signal, RATE, 30.0, 0.3)]
    np.testing.assert_allclose(runs, [(1.0, 3.0), (6.0, 7.0)], atol=0.03)
    assert len(active_runs(signal, RATE, 30.0, 0.1)) == 3
    assert active_runs(np.zeros(RATE), RATE, 30.0, 0.3) == []


@pytest.mark.parametrize("name", EVENTS)
def test_made_up_events_are_whole_and_differ(name):
    one, two = (EVENTS[name](np.random.default_rng(i), 16000) for i in range(2))
    assert np.isfinite(one).all() and 0.3 < len(one) / 16000 < 6
    assert len(one) != len(two) or not np.allclose(one, two)
    assert abs(one[-1]) < 0.05 * np.abs(one).max()


@pytest.mark.parametrize("name", BEDS)
def test_made_up_backgrounds_never_fall_silent(name):
    bed = BEDS[name](np.random.default_rng(0), 5 * 16000, 16000)
    levels = [rms(part) for part in np.array_split(bed, 50)]
    assert min(levels) > 0.05 * np.median(levels)
