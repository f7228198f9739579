"""Files to signals: decoding, choice of channel, resampling, and what can be wrong with a file.

Decoding tells bad files from good ones only in part, so the rest is checked here. libsndfile, for
one, gives what there is of a truncated wav or ogg without a word.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
import tensorflow as tf

from audio.clips import Clip, DataError
from audio.logmel import LogMel
from audio.wholeness import PLAIN_WAV_HEADER, check_whole, plain_wav_size


class Sound(NamedTuple):
    """A recording as it was in its file: samples (T, channels) float32, and rate in Hz."""

    samples: np.ndarray
    rate: int


def read_signal(path: Path | str, sample_rate: int, channel: int = 0) -> np.ndarray:
    """Returns one channel of a recording at the asked rate, (T,) float32 in [-1, 1].

    Raises:
        DataError: no file of sound, truncated, empty, not finite, or without that channel.
    """
    path = Path(path)
    try:
        return _to_signal(_decode(path), sample_rate, channel)
    except DataError as error:
        raise DataError(f"{path}: {error}") from None


def read_logmel(path: Path | str, num_mels: int) -> np.ndarray:
    """Returns a ready log-mel, (frames, num_mels) float32; or one frame from (num_mels,).

    Raises:
        DataError: not an array of that shape, of floats, all finite.
    """
    path = Path(path)
    try:
        return _load_logmel(path, num_mels)
    except DataError as error:
        raise DataError(f"{path}: {error}") from None


def resampled(signal: np.ndarray, rate: float, sample_rate: float) -> np.ndarray:
    """Returns a signal (T,) recorded at one rate as samples at another, (ceil(T * to / from),)."""
    from librosa import resample  # takes seconds to import the first time

    return resample(signal, orig_sr=rate, target_sr=sample_rate, res_type="soxr_hq")


def signals_from_files(
    clips: Sequence[Clip], settings: LogMel, channel: int = 0, num_parallel: int = 2
) -> tf.data.Dataset:
    """Returns the recordings (or ready log-mels) of clips that are files, plain wavs first.

    A mono 16-bit wav at the asked rate, with the plain 44-byte header, is decoded by TensorFlow
    alone, without Python's lock, several times as fast as by `tf.audio.decode_wav`. All else goes
    through `soundfile` in Python. Two data sets rather than a `tf.cond` in one, which would cost a
    fifth of the time that a log-mel takes.

    Args:
        clips: what to read; each has a path.
        settings: the rate that signals are brought to, and the width of ready log-mels.
        channel: which channel of each recording.
        num_parallel: files read at a time.

    Returns:
        elements `index`, int64: position in `clips`; `signal`, float32 (T,), empty where the
        log-mel is ready; `logmel`, float32 (F, num_mels), empty where it is not; `rate` and
        `channels`, int64: those of the file, 0 for a ready log-mel; `error`, string: what is
        wrong with the file, empty when nothing is.
    """
    paths = [clip.path for clip in clips if clip.path]
    sizes = [plain_wav_size(path, settings.sample_rate) if channel == 0 else 0 for path in paths]
    plain = [i for i, size in enumerate(sizes) if size]
    others = [i for i, size in enumerate(sizes) if not size]

    def read_any(path: bytes) -> tuple[np.ndarray, np.ndarray, np.ndarray, bytes]:
        return _read_any(Path(os.fsdecode(path)), settings, channel)

    @tf.autograph.experimental.do_not_convert  # halves the time to build the graph
    def by_soundfile(index: tf.Tensor, path: tf.Tensor, _: tf.Tensor) -> dict[str, tf.Tensor]:
        kinds = (tf.float32, tf.float32, tf.int64, tf.string)
        signal, logmel, origin, error = tf.numpy_function(read_any, [path], kinds)
        return {
            "index": index,
            "signal": tf.ensure_shape(signal, [None]),
            "logmel": tf.ensure_shape(logmel, [None, settings.num_mels]),
            "rate": tf.ensure_shape(origin, [2])[0],
            "channels": tf.ensure_shape(origin, [2])[1],
            "error": tf.ensure_shape(error, []),
        }

    @tf.autograph.experimental.do_not_convert
    def by_tensorflow(index: tf.Tensor, path: tf.Tensor, size: tf.Tensor) -> dict[str, tf.Tensor]:
        samples = tf.strings.substr(tf.io.read_file(path), PLAIN_WAV_HEADER, size)
        return {
            "index": index,
            "signal": tf.cast(tf.io.decode_raw(samples, tf.int16), tf.float32) * (1 / 32768),
            "logmel": tf.zeros([0, settings.num_mels]),
            "rate": tf.constant(settings.sample_rate, tf.int64),
            "channels": tf.constant(1, tf.int64),
            "error": tf.constant(""),
        }

    def files(which: list[int]) -> tf.data.Dataset:
        names = tf.constant([os.fsencode(paths[i]) for i in which], tf.string, [len(which)])
        columns = (np.array(which, np.int64), names, np.array([sizes[i] for i in which], np.int32))
        return tf.data.Dataset.from_tensor_slices(columns)

    parallel = {"num_parallel_calls": num_parallel, "deterministic": True}
    return (
        files(plain)
        .map(by_tensorflow, **parallel)
        .concatenate(files(others).map(by_soundfile, **parallel))
    )


def _read_any(
    path: Path, settings: LogMel, channel: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, bytes]:
    """Returns signal, log-mel, (rate, channels) and error of one file, two of them empty."""
    signal, logmel = np.zeros(0, np.float32), np.zeros((0, settings.num_mels), np.float32)
    origin, error = np.zeros(2, np.int64), b""
    try:
        if path.suffix.lower() == ".npy":
            logmel = _load_logmel(path, settings.num_mels)
        else:
            sound = _decode(path)
            signal = _to_signal(sound, settings.sample_rate, channel)
            origin = np.array([sound.rate, sound.samples.shape[1]], np.int64)
    except DataError as bad:
        error = str(bad).encode()
    return signal, logmel, origin, error


def _decode(path: Path) -> Sound:
    try:
        check_whole(path)
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except OSError as error:
        raise DataError(f"cannot be opened ({error.strerror})") from None
    except soundfile.SoundFileError as error:
        reason = str(error).split(": ", 1)[-1].strip().rstrip(".")
        raise DataError(f"is damaged or no {path.suffix} file ({reason})") from None
    return Sound(samples, rate)


def _to_signal(sound: Sound, sample_rate: int, channel: int) -> np.ndarray:
    length, num_channels = sound.samples.shape
    if length == 0:
        raise DataError("holds no samples")
    if not 0 <= channel < num_channels:
        plural = "s" if num_channels > 1 else ""
        raise DataError(
            f"has {num_channels} channel{plural}, so data.channel={channel} is out of range:"
            f" set it between 0 and {num_channels - 1}"
        )
    signal = np.ascontiguousarray(sound.samples[:, channel])
    if not np.isfinite(signal).all():
        raise DataError("has samples that are NaN or infinite")
    return signal if sound.rate == sample_rate else resampled(signal, sound.rate, sample_rate)


def _load_logmel(path: Path, num_mels: int) -> np.ndarray:
    try:
        logmel = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"cannot be read as a .npy array ({str(error).splitlines()[0]})") from None
    if not isinstance(logmel, np.ndarray) or not np.issubdtype(logmel.dtype, np.floating):
        raise DataError("does not hold floats: ready features are numbers, log-mels in dB")
    logmel = np.atleast_2d(logmel)
    if logmel.ndim != 2 or logmel.shape[1] != num_mels:
        raise DataError(
            f"has shape {logmel.shape}: ready features are (frames, {num_mels}), time first"
        )
    if not np.isfinite(logmel).all():
        raise DataError("has values that are NaN or infinite")
    return logmel.astype(np.float32)
