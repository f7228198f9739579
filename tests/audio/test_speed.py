import numpy as np
import pytest
import tensorflow as tf

from audio.clips import TRAIN, Clip, DataError
from audio.logmel import LogMel, log_mel
from audio.pipeline import load
from audio.reading import read_signal
from audio.speed import stretched

SETTINGS = LogMel()
RATE = SETTINGS.sample_rate


def tone(hertz, seconds):
    return 0.3 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)


def log_mel_of(signal):
    return log_mel(tf.constant(signal, tf.float32), SETTINGS).numpy()


@pytest.fixture
def played(tmp_path, write):
    """Plays a signal at a speed: its log-mel as a sound file's, and as a ready log-mel's."""

    def play(signal, speed, suffixes=(".wav", ".npy"), **options):
        paths = [tmp_path / f"clip{suffix}" for suffix in suffixes]
        for path in paths:
            write(path, log_mel_of(signal) if path.suffix == ".npy" else signal)
        clips = [Clip("fan", "00", TRAIN, 0, path.name, path) for path in paths]
        logmels, _, notes = load(clips, SETTINGS, speed=speed, **options)
        return [logmels.clip(i) for i in range(len(clips))], notes

    return play


@pytest.mark.parametrize("speed", [0.8, 1.1])
def test_a_tone_played_faster_is_a_higher_and_shorter_one(played, speed):
    both, _ = played(tone(1000, 2), speed)
    true = log_mel_of(tone(1000 * speed, 2 / speed))
    steady = slice(3, -3)
    expected = true[steady].mean(0)
    for logmel in both:
        assert logmel.dtype == np.float32
        assert abs(len(logmel) - len(true)) <= 1
        assert logmel[steady].mean(0).argmax() == expected.argmax()
    loud = expected > expected.max() - 40
    sound, ready = (logmel[steady].mean(0) for logmel in both)
    np.testing.assert_allclose(sound[loud], expected[loud], atol=0.01)
    assert ready.max() == pytest.approx(expected.max(), abs=1.5)


@pytest.mark.parametrize("speed", [0.9, 1.1])
def test_a_ready_log_mel_comes_to_what_its_sound_does(played, speed):
    noise = np.random.default_rng(0).normal(size=4 * RATE)
    rumble = np.convolve(noise, np.exp(-np.arange(40) / 8), "same")
    (sound, ready), notes = played(0.02 * rumble, speed)
    apart = np.abs(sound[3:-3].mean(0) - ready[3:-3].mean(0))
    assert apart.mean() < 0.6 and apart.max() < 3
    what = f"ready log-mel stretched to speed {speed}, there being no signal to resample"
    assert notes == {what: 1}


@pytest.mark.parametrize("speed", [0.8, 1.25])
def test_copies_have_no_silent_bands_to_be_known_by(played, speed):
    noise = 0.05 * np.random.default_rng(0).normal(size=2 * RATE)
    (copy,), notes = played(noise, speed, (".flac",))
    np.testing.assert_allclose(copy.mean(0)[40:], log_mel_of(noise).mean(0)[40:], atol=4)
    assert notes == {}


def test_the_same_speed_changes_nothing():
    logmel = np.random.default_rng(0).normal(-40, 5, (20, 128)).astype(np.float32)
    np.testing.assert_allclose(stretched(logmel, 1.0, SETTINGS), logmel, atol=1e-4)


def test_every_source_of_signals_can_be_played(tmp_path, write, hum):
    """A prepared data set's signals, and those of files that have to be brought to the rate."""
    path = write(tmp_path / "a.wav", hum(1.0, channels=2, rate=44100), rate=44100)
    clip = Clip("fan", "00", TRAIN, 0, path.name, path)
    signal = read_signal(path, RATE)

    def signals(asked):
        rest = {"logmel": tf.zeros((0, 128)), "error": ""}
        return tf.data.Dataset.from_tensors({"index": np.int64(0), "signal": signal, **rest})

    from_file, _, notes = load([clip], SETTINGS, speed=1.25)
    prepared, _, _ = load([clip], SETTINGS, speed=1.25, signals=signals)
    np.testing.assert_array_equal(from_file.frames, prepared.frames)
    assert len(from_file.frames) == 1 + int(RATE / 1.25) // 512
    assert notes == {}  # what was done to the file is said of the clip as it is


@pytest.mark.parametrize("suffix", [".wav", ".npy"])
def test_a_copy_too_short_for_a_window_is_a_bad_clip(played, hum, suffix):
    with pytest.raises(DataError, match=rf"clip{suffix} is too short at speed 2: 8 frames") as said:
        played(hum(0.5), 2.0, (suffix,), min_frames=16)
    assert "\n" not in str(said.value)


def test_what_is_wrong_with_a_file_is_said_at_any_speed(tmp_path):
    (tmp_path / "a.wav").touch()
    clip = Clip("fan", "00", TRAIN, 0, "a.wav", tmp_path / "a.wav")
    with pytest.raises(DataError, match=r"a\.wav is empty"):
        load([clip], SETTINGS, speed=0.9)
