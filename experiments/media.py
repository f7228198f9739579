"""Speech from loudspeakers, found in streams (Tang et al., ICASSP 2019): from data to report.

A window is a whole stream, since what has been heard before is context; a snippet of it has one
label and one score.
"""

from pathlib import Path
from typing import Any

import numpy as np
from ml_collections import ConfigDict

from audio.logmel import LogMel, mel_frequencies
from audio.media_scenes import ANNOTATIONS, Passage, media_shares, read_annotations
from experiments import workdir as work
from experiments.batches import Batches
from experiments.data import DataSet, Split, load_data, windows_of
from experiments.errors import ConfigError
from experiments.experiment import facts
from experiments.media_method import build
from experiments.method import Method, Variables
from experiments.metrics import read_metrics
from experiments.processes import is_main, merge
from experiments.score import each_chunk
from experiments.steps import check_training
from experiments.track import Member
from experiments.train import train
from scoring.classes import format_classes, write_classes
from scoring.media_page import Page, Snippet, error_rate, write_page, write_snippets
from scoring.media_plots import StreamView

Passages = dict[tuple[str, str], list[Passage]]
NAME = "media"


def run(config: Any, workdir: Path, started: float) -> Path | None:
    """Trains on train streams, judges every snippet of test streams, and writes the report.

    Args:
        config: as `configs/media.py` makes it.
        workdir: where all its files go.
        started: when the command was started, by `time.monotonic`.

    Returns:
        The report, or None on all processes but the main one.

    Raises:
        ConfigError, DataError: what a user can mend.
    """
    work.check(workdir, config)
    check_training(config)
    whole = with_windows(config)
    method = build(config.model.to_dict(), snippet_frames(config))
    data = load_data(whole)
    (machine,) = data.machines
    passages = read_annotations(_folder(data) / ANNOTATIONS)
    batches = _batches(machine.train, passages, whole)
    if is_main():
        work.claim(workdir, config)
        for note in data.notes:
            print(note)
    (variables,) = train([Member(NAME, method, batches, whole, workdir / NAME)])
    scores = snippet_scores(method, variables, machine.test, whole)
    if not is_main():
        return None
    return _report(data, passages, scores, whole, workdir, started)


def snippet_frames(config: Any) -> int:
    """Frames in a snippet.

    Raises:
        ConfigError: a snippet is no whole number of frames.
    """
    seconds, logmel = config.window.snippet_seconds, config.logmel
    frames = seconds * logmel.sample_rate / logmel.hop_length
    if frames < 1 or abs(frames - round(frames)) > 1e-6:
        raise ConfigError(
            f"window.snippet_seconds={seconds} must be a whole number of "
            f"{logmel.hop_length / logmel.sample_rate:g} s, logmel.hop_length"
        )
    return round(frames)


def with_windows(config: Any) -> Any:
    """The config with windows that are whole streams.

    Raises:
        ConfigError: another kind of data, or streams shorter than a snippet.
    """
    if config.data.source != "media_scenes":
        raise ConfigError(
            f"data.source={config.data.source!r} has no passages of media and live speech: use "
            "media_scenes, with your own recordings in data.root"
        )
    seconds = config.window.snippet_seconds
    num_snippets = int(config.scenes.stream_seconds / seconds + 1e-6) if seconds > 0 else 0
    if num_snippets < 1:
        raise ConfigError(
            f"scenes.stream_seconds={config.scenes.stream_seconds} must hold a snippet, "
            f"window.snippet_seconds={seconds}"
        )
    whole: Any = ConfigDict(config.to_dict())
    num_frames = num_snippets * snippet_frames(config)
    whole.window = ConfigDict(dict(num_frames=num_frames, hop=num_frames))
    whole.snippets = ConfigDict(dict(count=num_snippets, seconds=seconds))
    return whole


def snippet_scores(method: Method, variables: Variables, split: Split, config: Any) -> np.ndarray:
    """The score of every snippet of a split, from all processes, (streams, snippets)."""
    count, size = config.snippets.count, config.score.batch_size
    windows = windows_of(split.mine, config)
    parts = each_chunk(method.score, variables, windows, split.ids, size)
    mine = np.concatenate([np.zeros((0, count)), *parts]).astype(np.float64)
    places = count * split.positions[windows.clip][:, None] + np.arange(count)
    return merge(mine.ravel(), places.ravel(), count * len(split.clips)).reshape(-1, count)


def _folder(data: DataSet) -> Path:
    """Where the streams lie."""
    path = data.source.clips[0].path
    assert path is not None
    return path.parents[1]


def _batches(train: Split, passages: Passages, config: Any) -> Batches:
    """Train streams, with what each of their snippets holds most of."""
    clips = train.mine.clips
    shares = [_shares(passages[clip.split, clip.name], config) for clip in clips]
    targets = {"media": (np.array(shares).reshape(len(clips), -1) > 0.5).astype(np.float32)}
    windows = windows_of(train.mine, config)
    return Batches(windows, train.ids, config.train.batch_size, config.seed, targets)


def _shares(passages: list[Passage], config: Any) -> np.ndarray:
    return media_shares(passages, config.snippets.count, config.snippets.seconds)


def _report(
    data: DataSet,
    passages: Passages,
    scores: np.ndarray,
    config: Any,
    workdir: Path,
    started: float,
) -> Path:
    """Writes tables and page, and says the equal error rate."""
    (machine,) = data.machines
    snippets = _snippets(machine.test, passages, scores, config)
    write_snippets(workdir / "snippets.csv", snippets)
    results = {NAME: [error_rate(snippets)]}
    write_classes(workdir / "results.csv", ("eer",), results)
    print(format_classes(("EER %",), results))
    clips = (*machine.train.clips, *machine.test.clips)
    page = Page(
        title=f"{workdir.name}: media or live",
        snippets=snippets,
        context=config.model.context,
        curve=read_metrics(workdir / NAME),
        streams=_views(machine.test, passages, scores, config),
        config=(workdir / "config.json").read_text(),
        facts=facts(config, clips, started, data.notes),
    )
    return write_page(workdir / "report.html", page)


def _snippets(test: Split, passages: Passages, scores: np.ndarray, config: Any) -> list[Snippet]:
    """The lines of `snippets.csv`; streams that could not be read have none."""
    seconds = config.snippets.seconds
    return [
        Snippet(clip.name, i * seconds, (i + 1) * seconds, share, int(share > 0.5), score)
        for clip, row in zip(test.clips, scores.tolist(), strict=True)
        for i, (share, score) in enumerate(
            zip(_shares(passages[clip.split, clip.name], config).tolist(), row, strict=True)
        )
        if not np.isnan(score)
    ]


def _views(test: Split, passages: Passages, scores: np.ndarray, config: Any) -> list[StreamView]:
    """The first of this process's test streams that hold both kinds."""
    settings = LogMel(**config.logmel.to_dict())
    views = []
    for place, clip in enumerate(test.mine.clips):
        own = passages[clip.split, clip.name]
        if len({passage.kind for passage in own}) < 2 or clip.path is None:
            continue
        if len(views) == config.report.num_streams:
            break
        views.append(
            StreamView(
                name=clip.name,
                logmel=test.mine.clip(place),
                hop_seconds=settings.hop_length / settings.sample_rate,
                mel_hz=mel_frequencies(settings),
                passages=[(each.onset, each.offset, each.kind) for each in own],
                probabilities=scores[test.positions[place]],
                snippet_seconds=config.snippets.seconds,
                audio=clip.path.read_bytes(),
            )
        )
    return views
