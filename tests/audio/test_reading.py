import numpy as np
import pytest
import soundfile

from audio.clips import TRAIN, Clip, DataError
from audio.logmel import LogMel
from audio.reading import read_logmel, read_signal, signals_from_files

RATE = 16000


def error_of(path, channel=0) -> str:
    with pytest.raises(DataError) as raised:
        read_signal(path, RATE, channel)
    message = str(raised.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "PCM_U8", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("format_", ["WAV", "WAVEX"])
def test_every_kind_of_wav_gives_the_same_signal(tmp_path, hum, subtype, format_):
    path, signal = tmp_path / "a.wav", hum(0.2)
    soundfile.write(path, signal, RATE, subtype, format=format_)
    got = read_signal(path, RATE)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, signal, atol=2 / 128 if subtype == "PCM_U8" else 1 / 32768)


def test_flac_and_ogg_are_read_and_suffixes_may_be_in_upper_case(tmp_path, write, hum):
    flac = read_signal(write(tmp_path / "a.FLAC", hum(0.2)), RATE)
    np.testing.assert_allclose(flac, hum(0.2), atol=1 / 32768)
    assert read_signal(write(tmp_path / "a.ogg", hum(0.2)), RATE).shape == flac.shape


def test_takes_the_channel_asked_for(tmp_path, write, hum):
    sound = hum(0.2, channels=8)
    path = write(tmp_path / "a.wav", sound)
    np.testing.assert_allclose(read_signal(path, RATE, 5), sound[:, 5], atol=1 / 32768)
    message = error_of(path, channel=8)
    assert "8 channels" in message
    assert "data.channel=8" in message


def test_resamples_a_tone_to_the_same_tone(tmp_path, write):
    t = np.arange(44100) / 44100
    path = write(tmp_path / "a.wav", 0.5 * np.sin(2 * np.pi * 440 * t), rate=44100)
    got = read_signal(path, RATE)
    assert got.shape == (RATE,)
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)
    np.testing.assert_allclose(got[800:-800], expected[800:-800], atol=1e-3)


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg"])
@pytest.mark.parametrize("kept", [0.9, 0.5, 0.002])
def test_a_truncated_file_is_found(tmp_path, write, hum, suffix, kept):
    path = write(tmp_path / f"a{suffix}", hum(3.0))
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    message = error_of(path)
    assert "truncated" in message or "damaged" in message


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg"])
def test_an_empty_file_and_one_that_is_something_else_are_found(tmp_path, write, suffix):
    path = tmp_path / f"a{suffix}"
    path.touch()
    assert "is empty" in error_of(path)
    path.write_text("not sound at all " * 10)
    assert f"no {suffix} file" in error_of(path)
    path.unlink()
    assert "cannot be opened" in error_of(path)


def test_a_wav_without_samples_or_with_some_that_are_no_numbers_is_found(tmp_path, write):
    assert "holds no samples" in error_of(write(tmp_path / "a.wav", np.zeros(0)))
    samples = np.zeros(100)
    for bad in (np.nan, np.inf):
        samples[50] = bad
        path = write(tmp_path / "b.wav", samples, subtype="FLOAT")
        assert "NaN or infinite" in error_of(path)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_ready_log_mels_of_any_float_are_read(tmp_path, write, kind):
    logmel = np.linspace(-80, 10, 40 * 128).reshape(40, 128).astype(kind)
    got = read_logmel(write(tmp_path / "a.npy", logmel), 128)
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, logmel.astype(np.float32))


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros((128, 40)), "time first"),
        (np.zeros((2, 40, 128)), "shape"),
        (np.zeros((40, 128), np.int16), "floats"),
        (np.full((40, 128), np.nan), "NaN"),
        (np.array([{"a": 1}], dtype=object), ".npy"),
    ],
)
def test_a_ready_log_mel_that_is_none_is_found(tmp_path, array, said):
    path = tmp_path / "a.npy"
    np.save(path, array)
    with pytest.raises(DataError, match=said):
        read_logmel(path, 128)
    path.write_bytes(path.read_bytes()[:90])
    with pytest.raises(DataError, match="array"):
        read_logmel(path, 128)


def test_the_data_set_gives_what_reading_one_by_one_gives(tmp_path, write, hum):
    plain = write(tmp_path / "plain.wav", hum(0.3))
    extended = tmp_path / "extended.wav"
    soundfile.write(extended, hum(0.4, channels=8), RATE, "PCM_16", format="WAVEX")
    other_rate = write(tmp_path / "rate.wav", hum(0.3, rate=8000), rate=8000)
    ready = write(tmp_path / "ready.npy")
    cut = write(tmp_path / "cut.wav")
    cut.write_bytes(cut.read_bytes()[:1000])
    # A chunk that some recorders write between header and samples.
    noted = tmp_path / "noted.wav"
    data = plain.read_bytes()
    noted.write_bytes(data[:36] + b"LIST\x04\0\0\0abcd" + data[36:])
    paths = [extended, plain, ready, cut, other_rate, noted]
    clips = [Clip("fan", "00", TRAIN, 0, path.name, path) for path in paths]

    elements = list(signals_from_files(clips, LogMel()).as_numpy_iterator())

    by_path = {paths[element["index"]]: element for element in elements}
    assert len(elements) == len(by_path) == len(paths)
    for path in (plain, extended, other_rate, noted):
        np.testing.assert_array_equal(by_path[path]["signal"], read_signal(path, RATE))
        assert not by_path[path]["error"]
    assert by_path[ready]["logmel"].shape == (20, 128)
    assert b"truncated" in by_path[cut]["error"]
    assert [by_path[p]["channels"] for p in (plain, extended)] == [1, 8]
    assert by_path[other_rate]["rate"] == 8000
