"""Clips in, log-mels out: read and computed in parallel by tf.data, checked, and kept.

Or embeddings, where there is something that embeds.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from audio import cache as kept
from audio.clips import Clip, DataError
from audio.embedder import Embedder
from audio.logmel import LogMel, log_mel
from audio.logmels import LogMels
from audio.reading import resampled, signals_from_files
from audio.rows import Rows
from audio.speed import heard_bands, play

Signals = Callable[[Sequence[Clip]], tf.data.Dataset]
Progress = Callable[[int, int], None]

NUM_NAMED = 3  # bad clips that an error names
PREPARED_RATE = 16000  # Hz, of signals that do not say theirs


class Features(NamedTuple):
    """What was made of a clip.

    Attributes:
        index: which clip.
        frames: (frames, mels) or (embeddings, dims).
        origin: rate and channels of the file, and whether features were ready.
        error: what is wrong with it; empty where nothing is.
    """

    index: int
    frames: np.ndarray
    origin: tuple[int, ...]
    error: str


def load(
    clips: Sequence[Clip],
    settings: LogMel,
    *,
    signals: Signals | None = None,
    source_id: str = "",
    min_frames: int = 5,
    channel: int = 0,
    speed: float = 1.0,
    embedder: Embedder | None = None,
    on_bad_clip: str = "error",
    cache: str = "none",
    cache_dir: Path | None = None,
    shard_index: int = 0,
    num_shards: int = 1,
    progress: Progress | None = None,
) -> tuple[LogMels, list[tuple[Clip, str]], dict[str, int]]:
    """Loads the log-mels of clips, or of one process's share of them.

    Args:
        clips: the clips of all processes.
        settings: what a log-mel is made of.
        signals: where clips are not files: gives elements as `signals_from_files` does, in any
            order; `rate` and `channels` may be missing.
        source_id: name and version of what `signals` reads, which the cache goes by; clips without
            a path are kept only under one.
        min_frames: a clip with fewer is bad: it has no window.
        channel: which channel of each recording.
        speed: the clips are loaded as if played at it; above one is faster and higher.
        embedder: makes embeddings, in place of log-mels.
        on_bad_clip: `error` or `skip`.
        cache: `disk`, `memory` or `none`.
        cache_dir: of the disk cache.
        shard_index: which process this is; its share is `clips[shard_index::num_shards]`.
        num_shards: number of processes.
        progress: told (clips done, clips in all) after each.

    Returns:
        the log-mels of the good clips in the order given; the bad clips, each with what is wrong;
        and what was done to how many of them: resampling and choice of channel, or at another
        speed what there is to say about that.

    Raises:
        DataError: bad clips, all of them together, unless they are to be skipped; a wrong option.
    """
    _check_options(on_bad_clip, cache, cache_dir)
    mine = tuple(clips[shard_index::num_shards])
    if embedder:
        settings = replace(settings, sample_rate=embedder.sample_rate, num_mels=embedder.num_dims)
    facts = {**asdict(settings), "channel": channel, "min_frames": min_frames, "speed": speed}
    facts["embedder"] = [embedder.identity, embedder.pooled] if embedder else None
    key = kept.key_of(mine, source_id, facts) if cache != "none" else None
    folder = cache_dir if cache == "disk" else None
    entry = kept.recall(key, folder) if key else None
    notes = {}
    if entry is None:
        source = signals or (lambda some: signals_from_files(some, settings, channel, _cores()))
        features = (
            _embedded(source(mine), embedder)
            if embedder
            else _computed(source(mine), settings, speed)
        )
        entry = _collect(features, len(mine), settings, min_frames, channel, speed, progress)
        try:
            if key:
                kept.keep(key, folder, entry)
        except OSError as error:
            notes[f"log-mels could not be kept in {cache_dir} ({error.strerror})"] = len(mine)
    elif progress:
        progress(len(mine), len(mine))
    bad = [(mine[i], reason) for i, reason in entry.bad]
    if bad and on_bad_clip == "error":
        raise DataError(describe_bad([(place(clip), reason) for clip, reason in bad]))
    good = tuple(mine[i] for i in entry.good)
    return LogMels(good, entry.frames, entry.offsets), bad, entry.notes | notes


def place(clip: Clip) -> str:
    """Where to look for a clip."""
    return str(clip.path or f"{clip.machine}/{clip.split}/{clip.name}")


def describe_bad(bad: Sequence[tuple[str, str]]) -> str:
    """One line about all bad clips of a set, from where each is and what is wrong with it."""
    named = "; ".join(f"{where} {reason}" for where, reason in bad[:NUM_NAMED])
    more = f"; and {len(bad) - NUM_NAMED} more" if len(bad) > NUM_NAMED else ""
    return (
        f"{len(bad)} bad clip{'s' if len(bad) > 1 else ''}: {named}{more}."
        " Mend or remove them, or skip such clips with --config.data.on_bad_clip=skip"
    )


def _check_options(on_bad_clip: str, cache: str, cache_dir: Path | None) -> None:
    if on_bad_clip not in ("error", "skip"):
        raise DataError(f"data.on_bad_clip={on_bad_clip!r}: set it to error or skip")
    if cache not in ("disk", "memory", "none"):
        raise DataError(f"data.cache={cache!r}: set it to disk, memory or none")
    if cache == "disk" and cache_dir is None:
        raise DataError("data.cache=disk needs a folder: set data.cache_dir")


def _collect(
    features: Iterator[Features],
    num_clips: int,
    settings: LogMel,
    min_frames: int,
    channel: int,
    speed: float,
    progress: Progress | None,
) -> kept.Entry:
    """The features of all clips, the good sorted from the bad."""
    rows = Rows(num_clips, settings.num_mels)
    good, bad, origins = [], [], Counter()
    for done, (index, frames, origin, reason) in enumerate(features, start=1):
        if not reason and len(frames) < min_frames:
            short = "is too short" if speed == 1 else f"is too short at speed {speed:g}"
            reason = f"{short}: {len(frames)} frames, and a window has {min_frames}"
        if reason:
            bad.append((index, reason))
        else:
            good.append(index)
            rows.append(frames)
            origins[origin] += 1
        if progress:
            progress(done, num_clips)
    if len(good) + len(bad) != num_clips:
        raise DataError(f"only {len(good) + len(bad)} of {num_clips} clips are in the data source")
    frames, offsets = rows.finish(np.argsort(good))
    notes = _notes(origins, settings, channel) if speed == 1 else _speed_notes(origins, speed)
    return kept.Entry(frames, offsets, sorted(good), sorted(bad), notes)


def _computed(source: tf.data.Dataset, settings: LogMel, speed: float) -> Iterator[Features]:
    """Log-mels, one clip at a time."""
    elements: Any = _log_mels(source, settings, speed).as_numpy_iterator()
    for element in elements:
        origin, error = tuple(element["origin"].tolist()), element["error"].decode()
        yield Features(int(element["index"]), element["frames"], origin, error)


def _embedded(source: tf.data.Dataset, embedder: Embedder) -> Iterator[Features]:
    """Embeddings, one clip at a time, while the next ones are read."""
    elements: Any = source.prefetch(2 * _cores()).as_numpy_iterator()
    for element in elements:
        signal, frames, error = element["signal"], element["logmel"], element["error"].decode()
        rate, channels = int(element.get("rate", 0)), int(element.get("channels", 0))
        ready = len(frames) > 0
        if not ready and not error:
            if not rate and embedder.sample_rate != PREPARED_RATE:
                signal = resampled(signal, PREPARED_RATE, embedder.sample_rate)
            try:
                frames = embedder.embed(signal)
            except ValueError as problem:
                error = str(problem)
        if embedder.pooled and len(frames):
            frames = frames.mean(0, keepdims=True)
        yield Features(int(element["index"]), frames, (rate, channels, int(ready)), error)


def _log_mels(source: tf.data.Dataset, settings: LogMel, speed: float) -> tf.data.Dataset:
    """Signals to log-mels, in parallel over clips."""
    bands = np.arange(settings.num_mels) if speed == 1 else heard_bands(speed, settings)

    @tf.autograph.experimental.do_not_convert  # halves the time to build the graph
    def features(element: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        signal, ready = element["signal"], element["logmel"]
        rate = element.get("rate", tf.constant(0, tf.int64))
        channels = element.get("channels", tf.constant(0, tf.int64))
        # Of signal and ready log-mel one is empty, and no samples make no frames.
        computed = log_mel(signal, settings)
        computed = computed[: tf.where(tf.size(signal) > 0, tf.shape(computed)[0], 0)]
        if speed != 1:
            computed = tf.gather(computed, bands, axis=1)
        return {
            "index": element["index"],
            "frames": tf.concat([computed, ready], axis=0),
            "origin": tf.stack([rate, channels, tf.cast(tf.size(ready) > 0, tf.int64)]),
            "error": element["error"],
        }

    options = tf.data.Options()
    # Clips are the unit of parallelism: one thread a clip, as many clips at a time as cores.
    options.threading.private_threadpool_size = _cores()
    options.threading.max_intra_op_parallelism = 1
    # The autotuner's thread sleeps 10 ms, 20 ms, 40 ms … and ending an iteration waits for it to
    # wake: measured, up to 0.6 s for 200 clips that take 0.15 s. There is nothing to tune here.
    options.autotune.enabled = False
    if speed != 1:
        source = play(source, speed, settings, _cores())
    mapped = source.map(features, num_parallel_calls=_cores(), deterministic=True)
    return mapped.prefetch(2 * _cores()).with_options(options)


def _cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _notes(origins: Counter, settings: LogMel, channel: int) -> dict[str, int]:
    """What was done to how many recordings.

    Args:
        origins: how many there are of each (rate, channels, whether a ready log-mel).
        settings: the rate that they were brought to.
        channel: the one that was taken.
    """
    rates, channels = Counter(), Counter()
    for (rate, num_channels, _), count in origins.items():
        rates[rate] += count
        channels[num_channels] += count
    resampled = {
        f"resampled from {rate} Hz to {settings.sample_rate} Hz": count
        for rate, count in sorted(rates.items())
        if rate not in (0, settings.sample_rate)
    }
    reduced = {
        f"channel {channel} of {num} taken": count
        for num, count in sorted(channels.items())
        if num > 1
    }
    return resampled | reduced


def _speed_notes(origins: Counter, speed: float) -> dict[str, int]:
    """How many copies are not what resampling their signal would have given."""
    ready = sum(count for (_, _, is_ready), count in origins.items() if is_ready)
    what = f"ready log-mel stretched to speed {speed:g}, there being no signal to resample"
    return {what: ready} if ready else {}
