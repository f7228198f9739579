"""The strangest clips: where in time and frequency they are strange, and how they sound."""

from collections.abc import Callable
from typing import Any

import numpy as np

from audio.clips import Clip
from audio.logmel import LogMel, mel_frequencies
from audio.logmels import LogMels, subset
from audio.pipeline import load
from audio.reading import read_signal
from audio.wav import encode_wav
from experiments.data import Machine, windows_of
from experiments.method import Method, Variables
from experiments.score import anomaly_map
from experiments.sources import Source
from scoring.maps import StrangeClip
from scoring.rows import ScoreRow
from scoring.threshold import fit_units, rank_clips


def strangest(
    method: Method,
    variables: Variables,
    machine: Machine,
    rows: list[ScoreRow],
    config: Any,
    source: Source,
) -> list[StrangeClip]:
    """The strangest test clips, with where they are strange and how they sound.

    Those that another process has scored are read anew; a rehearsal's, which are no files, are
    then left out.
    """
    ranked = rank_clips(rows, fit_units(rows)).get(machine.name, [])
    chosen = [entry.row for entry in ranked[: config.report.num_strange_clips]]
    clips = {clip.name: clip for clip in machine.test.clips}
    settings = LogMel(**config.logmel.to_dict())
    strange = []
    for row in chosen:
        clip = clips[row.name]
        one = _frames_of(clip, machine, config, source)
        if one is None:
            continue
        strange.append(
            StrangeClip(
                row=row,
                logmel=one.frames,
                nll=_surprise(method, variables, machine, clip, one, config),
                hop_seconds=settings.hop_length / settings.sample_rate,
                mel_hz=mel_frequencies(settings),
                audio=playable(clip, settings.sample_rate, config.data.channel, source.signals),
                unit=method.unit,
            )
        )
    return strange


def _frames_of(clip: Clip, machine: Machine, config: Any, source: Source) -> LogMels | None:
    """A clip's log-mel, computed anew where it is not at hand; None where it has none."""
    embedded, mine = "embedding" in config, machine.test.mine
    if clip in mine.clips and not embedded:
        return subset(mine, [mine.clips.index(clip)])
    silent = clip.path.suffix.lower() == ".npy" if clip.path else source.signals is None
    if silent and (embedded or not clip.path):
        return None
    settings, channel = LogMel(**config.logmel.to_dict()), config.data.channel
    one, _, _ = load([clip], settings, signals=source.signals, channel=channel, cache="none")
    return one


def _surprise(
    method: Method, variables: Variables, machine: Machine, clip: Clip, one: LogMels, config: Any
) -> np.ndarray:
    """How strange each bin is, (frames, mels); NaN of a method that judges a clip as a whole."""
    if "embedding" in config:
        return np.full(one.frames.shape, np.nan, np.float32)
    ids, size = np.array([machine.ids.index(clip.id)]), config.score.batch_size
    return anomaly_map(method, variables, windows_of(one, config), ids, size)


def playable(
    clip: Clip, sample_rate: int, channel: int, signals: Callable[..., Any] | None
) -> bytes | None:
    """The clip as it was heard by the model, as a wav file; None where there is no sound."""
    if clip.path is None and signals is not None:
        signal = next(iter(signals([clip]).as_numpy_iterator()))["signal"]
    elif clip.path is None or clip.path.suffix.lower() == ".npy":
        return None
    else:
        signal = read_signal(clip.path, sample_rate, channel)
    return encode_wav(signal, sample_rate)
