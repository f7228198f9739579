import os

import numpy as np
import pytest
import tensorflow as tf

from audio import cache, pipeline
from audio.clips import TRAIN, Clip, DataError
from audio.embedder import Embedder
from audio.logmel import LogMel, log_mel
from audio.pipeline import load
from audio.reading import read_signal

SETTINGS = LogMel()


@pytest.fixture
def clips(tmp_path, write, hum):
    """Seven clips, among them an 8-channel one, one at another rate, and a ready log-mel."""
    folder = tmp_path / "clips"
    paths = [write(folder / f"{i}.wav", hum(0.3 + 0.1 * i, seed=i)) for i in range(4)]
    paths.insert(1, write(folder / "eight.wav", hum(0.5, channels=8)))
    paths.append(write(folder / "rate.flac", hum(0.5, rate=44100), rate=44100))
    paths.append(write(folder / "ready.npy", np.full((11, 128), -30, np.float16)))
    return [Clip("fan", "00", TRAIN, 0, path.name, path) for path in paths]


@pytest.fixture
def count(monkeypatch):
    """Counts how often log-mels are computed rather than recalled."""
    calls = []
    compute = pipeline._collect
    monkeypatch.setattr(pipeline, "_collect", lambda *args: calls.append(1) or compute(*args))
    cache.clear_memory()
    return calls


def spoil(clips, which):
    for i in which:
        clips[i].path.write_bytes(b"")


def test_each_clip_is_its_own_log_mel_in_the_order_given(clips):
    logmels, bad, notes = load(clips, SETTINGS)
    assert logmels.clips == tuple(clips)
    assert logmels.frames.dtype == np.float32
    assert logmels.offsets.dtype == np.int64
    assert logmels.offsets[-1] == len(logmels.frames) == logmels.num_frames.sum()
    for i, clip in enumerate(clips[:-1]):
        alone = log_mel(tf.constant(read_signal(clip.path, 16000)), SETTINGS)
        np.testing.assert_allclose(logmels.clip(i), alone, atol=1e-3)
    np.testing.assert_array_equal(logmels.clip(6), np.full((11, 128), -30))
    assert not bad
    assert notes == {"resampled from 44100 Hz to 16000 Hz": 1, "channel 0 of 8 taken": 1}


def test_shards_share_the_clips_out(clips):
    parts = [load(clips, SETTINGS, shard_index=i, num_shards=3)[0] for i in range(3)]
    assert sorted(c.name for p in parts for c in p.clips) == sorted(c.name for c in clips)
    assert [len(p.clips) for p in parts] == [3, 2, 2]
    empty, _, _ = load(clips[:1], SETTINGS, shard_index=1, num_shards=2)
    assert empty.frames.shape == (0, 128)
    assert empty.offsets.tolist() == [0]


def test_all_bad_clips_are_reported_together(clips, write):
    spoil(clips, [0, 1, 2, 5])
    write(clips[6].path, np.zeros((4, 128)))
    with pytest.raises(DataError) as raised:
        load(clips, SETTINGS)
    message = str(raised.value)
    assert message.startswith("5 bad clips: ")
    assert "0.wav is empty" in message
    assert "and 2 more" in message
    assert "--config.data.on_bad_clip=skip" in message
    assert "\n" not in message


def test_bad_clips_are_skipped_if_asked_for(clips, hum, write):
    spoil(clips, [1])
    write(clips[3].path, hum(0.1))
    logmels, bad, _ = load(clips, SETTINGS, on_bad_clip="skip")
    assert [clip.name for clip, _ in bad] == [clips[1].name, clips[3].name]
    assert bad[0][1] == "is empty"
    assert bad[1][1] == "is too short: 4 frames, and a window has 5"
    assert logmels.clips == (clips[0], clips[2], *clips[4:])
    np.testing.assert_array_equal(logmels.clip(4), np.full((11, 128), -30))


def test_a_channel_that_some_clips_lack_is_a_bad_clip(clips):
    with pytest.raises(DataError, match=r"data\.channel=3 is out of range"):
        load(clips, SETTINGS, channel=3)
    logmels, _, notes = load(clips[1:2], SETTINGS, channel=3)
    alone = log_mel(tf.constant(read_signal(clips[1].path, 16000, 3)), SETTINGS)
    np.testing.assert_allclose(logmels.frames, alone, atol=1e-3)
    assert notes == {"channel 3 of 8 taken": 1}


def prepared(asked):
    def element(i):
        signal = tf.fill([4096 * (i + 1)], float(i))
        return {
            "index": np.int64(i),
            "signal": signal,
            "logmel": tf.zeros((0, 128)),
            "error": "",
        }

    spec = {
        "index": tf.TensorSpec([], tf.int64),
        "signal": tf.TensorSpec([None]),
        "logmel": tf.TensorSpec([None, 128]),
        "error": tf.TensorSpec([], tf.string),
    }
    order = reversed(range(len(asked)))
    return tf.data.Dataset.from_generator(lambda: map(element, order), output_signature=spec)


def test_another_source_may_give_its_clips_in_any_order():
    clips = [Clip("fan", "00", TRAIN, 0, f"normal_id_00_{i}.wav") for i in range(3)]

    logmels, _, notes = load(clips, SETTINGS, signals=prepared)
    assert logmels.clips == tuple(clips)
    assert logmels.num_frames.tolist() == [9, 17, 25]
    assert logmels.clip(0).max() < -156
    assert logmels.clip(2).max() > logmels.clip(1).max() > -50
    assert not notes


def test_embeddings_take_the_place_of_log_mels():
    """Of prepared signals, which are at 16 kHz, at the rate of what embeds."""
    clips = [Clip("fan", "00", TRAIN, 0, f"normal_id_00_{i}.wav") for i in range(3)]
    heard = []

    def embed(signal):
        heard.append(len(signal))
        if len(signal) < 10_000:
            raise ValueError("is too short for it")
        return np.tile(signal.max(), (len(signal) // 8000, 7)).astype(np.float32)

    embedder = Embedder("loudest", 32000, 7, embed)
    options = dict(signals=prepared, on_bad_clip="skip", min_frames=1)
    some, bad, _ = load(clips, SETTINGS, embedder=embedder, **options)
    assert sorted(heard) == [8192, 16384, 24576]
    assert bad == [(clips[0], "is too short for it")]
    assert some.frames.shape == (2 + 3, 7) and some.num_frames.tolist() == [2, 3]
    pooled, _, _ = load(clips, SETTINGS, embedder=embedder._replace(pooled=True), **options)
    assert pooled.num_frames.tolist() == [1, 1]
    np.testing.assert_allclose(pooled.frames[1], some.frames[2:].mean(0), rtol=1e-6)


def test_progress_is_told(clips):
    told = []
    load(clips, SETTINGS, progress=lambda done, total: told.append((done, total)))
    assert told == [(i + 1, 7) for i in range(7)]


@pytest.mark.parametrize("kind", ["disk", "memory"])
def test_what_is_kept_is_not_computed_again(clips, tmp_path, count, kind):
    spoil(clips, [2])
    options = {"cache": kind, "cache_dir": tmp_path / "kept", "on_bad_clip": "skip"}
    first, second = (load(clips, SETTINGS, **options) for _ in range(2))
    assert len(count) == 1
    np.testing.assert_array_equal(first[0].frames, second[0].frames)
    np.testing.assert_array_equal(first[0].offsets, second[0].offsets)
    assert first[0].clips == second[0].clips
    assert first[1:] == second[1:]


@pytest.mark.parametrize("kind", ["disk", "memory"])
def test_what_has_changed_is_computed_anew(clips, tmp_path, count, write, hum, kind):
    options = {"cache": kind, "cache_dir": tmp_path / "kept"}
    load(clips, SETTINGS, **options)
    load(clips, LogMel(hop_length=256), **options)
    load(clips[1:], SETTINGS, **options)
    for speed in (1.1, 0.9, 1.1):
        load(clips[:1], SETTINGS, speed=speed, **options)
    assert len(count) == 5
    size = clips[0].path.stat().st_size
    write(clips[0].path, -hum(0.3))
    assert clips[0].path.stat().st_size == size
    load(clips, SETTINGS, **options)
    assert len(count) == 6


@pytest.mark.parametrize("suffix", [".npy", ".json"])
@pytest.mark.parametrize("damage", ["cut", "emptied", "gone"])
def test_a_damaged_cache_is_rebuilt(clips, tmp_path, count, suffix, damage):
    options = {"cache": "disk", "cache_dir": tmp_path / "kept"}
    first, _, _ = load(clips, SETTINGS, **options)
    (path,) = (tmp_path / "kept").glob(f"*{suffix}")
    data = path.read_bytes()
    path.unlink()
    if damage != "gone":
        path.write_bytes(data[: len(data) // 2 if damage == "cut" else 0])
    for _ in range(2):
        again, _, _ = load(clips, SETTINGS, **options)
        np.testing.assert_array_equal(again.frames, first.frames)
    assert len(count) == 2
    assert len(list((tmp_path / "kept").iterdir())) == 2


def test_a_cache_that_cannot_be_written_is_said_and_no_more(clips, tmp_path):
    (tmp_path / "kept").write_text("a file where the folder should be")
    logmels, _, notes = load(clips, SETTINGS, cache="disk", cache_dir=tmp_path / "kept")
    assert len(logmels.clips) == 7
    assert any("could not be kept in" in note for note in notes)


def test_what_nobody_uses_goes_from_the_cache(clips, tmp_path):
    options = {"cache": "disk", "cache_dir": tmp_path / "kept"}
    load(clips, SETTINGS, **options)
    for path in (tmp_path / "kept").iterdir():
        os.utime(path, (0, 0))
    load(clips[1:], SETTINGS, **options)
    assert len(list((tmp_path / "kept").iterdir())) == 2


@pytest.mark.parametrize(
    "option", [{"cache": "tape"}, {"on_bad_clip": "shrug"}, {"cache": "disk", "cache_dir": None}]
)
def test_wrong_options_are_named(clips, option):
    with pytest.raises(DataError, match=r"data\."):
        load(clips, SETTINGS, **option)
