"""Streams of live speech and loudspeakers: how they sound, and what their table says."""

import csv
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import soundfile

from audio.clips import TEST, TRAIN, DataError
from audio.media_scenes import (
    ANNOTATIONS,
    LIVE,
    MEDIA,
    Passage,
    SceneSettings,
    build_scenes,
    media_shares,
    read_annotations,
    stock_of,
)
from audio.media_scenes.build import stream
from audio.media_scenes.loudspeaker import Loudspeaker, compressed, draw_loudspeaker, music, played
from audio.media_scenes.passages import draw_passages
from audio.media_scenes.room import draw_room, impulse_response
from audio.media_scenes.spectra import signal_of, spectra
from audio.media_scenes.voice import draw_voice, speak

RATE = 8000
SMALL = SceneSettings(
    num_train=3,
    num_test=2,
    stream_seconds=4.0,
    shortest_seconds=1.0,
    longest_seconds=2.5,
    num_voices=6,
    sample_rate=RATE,
)


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def speech():
    return speak(rng(), draw_voice(rng(1)), 10 * RATE, RATE)


def power_above(signal, hz):
    power = np.square(np.abs(np.fft.rfft(signal)))
    return power[np.fft.rfftfreq(len(signal), 1 / RATE) > hz].sum() / power.sum()


def test_spectra_and_back():
    signal = rng().standard_normal(1234)
    np.testing.assert_allclose(signal_of(spectra(signal), len(signal)), signal, atol=1e-12)


def test_speech_has_pauses_and_a_pitch(speech):
    blocks = np.square(speech.reshape(-1, 400)).mean(1)
    assert 0.05 < (blocks < 0.01).mean() < 0.75
    assert np.isfinite(speech).all()
    voice = draw_voice(rng(1))
    loud = speech[np.argmax(blocks) * 400 :][:800]
    lags = np.correlate(loud, loud, "full")[len(loud) :]
    slowest, fastest = RATE / voice.pitch * 2.5, RATE / voice.pitch / 2.5
    assert fastest < np.argmax(lags[int(fastest) :]) + int(fastest) < slowest


def test_voices_differ():
    pitches = [draw_voice(rng(seed)).pitch for seed in range(20)]
    assert min(pitches) < 130 < 170 < max(pitches)


def test_a_loudspeaker_is_band_limited(speech):
    poor = Loudspeaker(low=400, high=1500, ratio=2, drive=0.4, resonance=800, boom=0.5)
    sound = played(speech, poor, RATE)
    assert power_above(sound, 2500) < 0.3 * power_above(speech, 2500)
    assert 1 - power_above(sound, 200) < 0.3 * (1 - power_above(speech, 200))
    assert sound.std() == pytest.approx(1, abs=0.05)


def test_what_it_plays_is_compressed(speech):
    steps = np.repeat([1.0, 0.1], RATE) * rng().standard_normal(2 * RATE)
    loud, soft = (part.std() for part in np.split(compressed(steps, 4.0), 2))
    assert 20 * np.log10(loud / soft) == pytest.approx(20 / 4, abs=1)
    np.testing.assert_allclose(compressed(speech, 1.0), speech)


def test_what_it_plays_is_distorted():
    tone = np.sqrt(2) * np.sin(2 * np.pi * 500 * np.arange(RATE) / RATE)
    loud = Loudspeaker(low=50, high=3900, ratio=1, drive=0.6, resonance=800, boom=0)
    sound = played(tone, loud, RATE)
    power = np.square(np.abs(np.fft.rfft(sound * np.hanning(len(sound)))))
    assert 1e-4 < power[1490:1510].sum() / power[490:510].sum() < 0.1


def test_good_and_poor_loudspeakers_are_drawn():
    lows = [draw_loudspeaker(rng(seed)).low for seed in range(40)]
    assert min(lows) < 180 and max(lows) > 500


def test_music_is_steady_and_of_level_one():
    assert music(rng(), 2 * RATE, RATE).std() == pytest.approx(1, abs=0.01)


def test_further_away_is_more_reverberant():
    room = draw_room(rng(), -44.0)
    direct = [impulse_response(rng(), room, metres, RATE)[0] for metres in (0.3, 1.0, 4.0)]
    assert direct[0] > direct[1] > direct[2]


def test_streams_are_a_function_of_seed_split_and_index():
    stock = stock_of(SMALL, None)
    passages, signal = stream(SMALL, stock, TRAIN, 1)
    again = stream(SMALL, stock_of(SMALL, None), TRAIN, 1)
    assert passages == again[0] and np.array_equal(signal, again[1])
    assert np.abs(signal).max() <= 1 and signal.shape == (4 * RATE,) and signal.std() > 1e-3
    for other in (stream(SMALL, stock, TRAIN, 2), stream(SMALL, stock, TEST, 1)):
        assert not np.array_equal(other[1], signal)


@pytest.mark.parametrize("seed", range(5))
def test_passages_add_up_to_the_stream(seed):
    settings = SceneSettings()
    passages = draw_passages(rng(seed), settings, dict.fromkeys((LIVE, MEDIA), ("a", "b")))
    assert passages[0].onset == 0 and passages[-1].offset == settings.stream_seconds
    for before, after in pairwise(passages):
        assert before.offset == after.onset
    for whole in passages[1:-1]:
        assert settings.shortest_seconds <= whole.offset - whole.onset <= settings.longest_seconds


def test_shares_of_media():
    passages = [
        Passage(0.0, 6.0, LIVE, "a"),
        Passage(6.0, 12.0, MEDIA, "b"),
        Passage(12.0, 15.0, LIVE, "a"),
    ]
    np.testing.assert_allclose(media_shares(passages, 3, 5.0), [0.0, 0.8, 0.4])


def test_no_voice_is_in_both_splits():
    sources = stock_of(SMALL, None).sources
    for kind in (LIVE, MEDIA):
        train, test = set(sources[TRAIN][kind]), set(sources[TEST][kind])
        assert train and test and not train & test
    assert set(sources[TRAIN][LIVE]).isdisjoint(sources[TEST][MEDIA])


def test_streams_are_written_once_with_their_table(tmp_path):
    told = []
    stock = stock_of(SMALL, None)
    root = build_scenes(tmp_path, SMALL, stock, lambda done, total: told.append((done, total)))
    assert told == [(done, 5) for done in range(1, 6)]
    passages = read_annotations(root / ANNOTATIONS)
    files = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.flac"))
    assert files == sorted(f"{split}/{name}" for split, name in passages)
    for (split, name), own in passages.items():
        assert soundfile.info(root / split / name).duration == pytest.approx(4.0)
        assert sum(each.offset - each.onset for each in own) == pytest.approx(4.0)
        assert own == stream(SMALL, stock, split, int(name[-10:-5]))[0]
    table = list(csv.reader((root / ANNOTATIONS).read_text().splitlines()))
    assert table[0] == ["stream", "split", "onset", "offset", "kind", "source"]
    assert build_scenes(tmp_path, SMALL, stock, told.append) == root and len(told) == 5
    assert list(tmp_path.iterdir()) == [root]
    assert build_scenes(tmp_path, replace(SMALL, seed=1), stock_of(SMALL, None)) != root


def test_nothing_is_left_of_streams_that_fail(tmp_path):
    class Broken:
        sources = stock_of(SMALL, None).sources
        identity = "broken"

        def render(self, rng, passages, num_samples):
            raise DataError("no sound")

    with pytest.raises(DataError, match="no sound"):
        build_scenes(tmp_path, SMALL, Broken())
    assert not list(tmp_path.iterdir())


@pytest.fixture
def recordings(tmp_path, write):
    for kind, hz in ((LIVE, 300), (MEDIA, 1000)):
        for number, (rate, suffix) in enumerate(((8000, "wav"), (16000, "flac"), (44100, "ogg"))):
            seconds = 1.5 + number
            tone = 0.1 * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate)) / rate)
            write(tmp_path / "own" / kind / f"{number}.{suffix}", tone, rate)
    return tmp_path / "own"


def test_ones_own_recordings(tmp_path, recordings):
    stock = stock_of(SMALL, recordings)
    root = build_scenes(tmp_path / "cache", SMALL, stock)
    sources = {TRAIN: set(), TEST: set()}
    for (split, name), passages in read_annotations(root / ANNOTATIONS).items():
        signal, rate = soundfile.read(root / split / name)
        for passage in passages:
            cut = signal[int(passage.onset * rate) : int(passage.offset * rate)]
            if len(cut) > rate // 2:
                peak = np.argmax(np.abs(np.fft.rfft(cut))) * rate / len(cut)
                assert peak == pytest.approx(300 if passage.kind == LIVE else 1000, abs=5)
            sources[split].add(passage.source)
    assert sources[TRAIN] and sources[TEST] and not sources[TRAIN] & sources[TEST]
    assert all(source.startswith(("live/", "media/")) for source in sources[TRAIN])


def test_recordings_that_change_make_other_streams(recordings, write):
    before = stock_of(SMALL, recordings).identity
    write(recordings / LIVE / "3.wav")
    assert stock_of(SMALL, recordings).identity != before


@pytest.mark.parametrize("kind", [LIVE, MEDIA])
def test_a_folder_that_is_missing_or_too_empty_is_named(tmp_path, recordings, kind):
    for path in sorted((recordings / kind).iterdir())[1:]:
        path.unlink()
    with pytest.raises(DataError, match=rf"{kind} holds 1 recording.*one to test on") as error:
        stock_of(SMALL, recordings)
    assert "\n" not in str(error.value)
    (recordings / kind).rename(tmp_path / "elsewhere")
    with pytest.raises(DataError, match=rf"{kind} is not there: put recordings") as error:
        stock_of(SMALL, recordings)
    assert "\n" not in str(error.value)


def test_a_broken_recording_is_named(tmp_path, recordings):
    for path in (recordings / LIVE).iterdir():
        path.write_bytes(b"no sound at all")
    with pytest.raises(DataError, match="live"):
        build_scenes(tmp_path / "cache", SMALL, stock_of(SMALL, recordings))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("num_train", 0),
        ("num_voices", 1),
        ("stream_seconds", 0.0),
        ("shortest_seconds", 9.0),
        ("switch_share", 1.5),
        ("noise_db", 3.0),
        ("sample_rate", 4000),
        ("seed", -1),
    ],
)
def test_impossible_settings(name, value):
    with pytest.raises(DataError, match=r"scenes|Hz") as error:
        stock_of(replace(SMALL, **{name: value}), None)
    assert "\n" not in str(error.value)
