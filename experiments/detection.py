"""Detection from end to end: mixtures, a detector for each class, marks, error rates, report."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from experiments import detection_report
from experiments import workdir as work
from experiments.batches import Batches
from experiments.costs import Stopwatch, num_parameters, train_seconds
from experiments.data import DataSet, Machine, Split, load_data, windows_of
from experiments.detector_method import Detector, Looks, build
from experiments.early_stopping import EarlyStopping
from experiments.errors import ConfigError
from experiments.members import shortest_clip
from experiments.method import Variables
from experiments.overrides import override
from experiments.processes import gather_rows, is_main
from experiments.score import compile_chunks, each_chunk
from experiments.steps import check_training
from experiments.track import Member
from experiments.train import train
from scoring.classes import format_classes, write_classes
from scoring.costs import Cost, write_costs
from scoring.detection import Detected, Span, detected
from scoring.tables import write_csv
from sed.marks import Mark

THRESHOLDS = np.linspace(0.05, 0.95, 19)
NO_EVENT = (-1.0, -1.0)
Marks = Mapping[str, Sequence[Mark]]


@dataclass(frozen=True)
class OfClass:
    """What a detector made of one class's test clips.

    Attributes:
        name: the class.
        threshold: what it marks events over.
        looks: clip -> what the detector says of it.
        marks: clip -> the events it marks.
        truth: clip -> its event's (onset, offset) in seconds, or None.
        result: marks against truth.
        cost: what it took.
    """

    name: str
    threshold: float
    looks: Mapping[str, Looks]
    marks: Marks
    truth: Mapping[str, Span | None]
    result: Detected
    cost: Cost


class Detection(NamedTuple):
    """What a detector made of everything."""

    config: Any
    workdir: Path
    data: DataSet
    detector: Detector
    classes: Sequence[OfClass]

    @property
    def name(self) -> str:
        """What it is called where several are shown."""
        return self.workdir.name


def run(config: Any, workdir: Path, started: float) -> Path | None:
    """Trains a detector for each class, marks events in the test clips, and judges the marks.

    Args:
        config: as `configs/rcrnn.py` makes it.
        workdir: where all its files go.
        started: when the command was started, by `time.monotonic`.

    Returns:
        The report, or None on all processes but the main one.

    Raises:
        ConfigError, DataError: what a user can mend.
    """
    detection = detect(config, workdir)
    if not is_main():
        return None
    print(format_classes(("error rate %", "F1 %"), results_of(detection)))
    return detection_report.write([detection], config, workdir, time.monotonic() - started)


def detect(config: Any, workdir: Path) -> Detection:
    """Trains and marks, and leaves all files but the report."""
    work.check(workdir, config)
    check_training(config)
    _check(config)
    detector, data = build(config), load_data(config)
    members = [_member(machine, config, workdir, detector, data) for machine in data.machines]
    if is_main():
        work.claim(workdir, config)
        for note in data.notes:
            print(note)
    classes = []
    for member, machine in zip(members, data.machines, strict=True):
        (variables,) = train([member])
        classes.append(_judge(member, machine, detector, variables, data))
    detection = Detection(config, workdir, data, detector, classes)
    if is_main():
        _write(detection)
    return detection


def results_of(detection: Detection) -> dict[str, tuple[float | None, float | None]]:
    """Class -> error rate and F1."""
    return {each.name: (each.result.error_rate, each.result.f1) for each in detection.classes}


def _check(config: Any) -> None:
    if config.data.source != "rare_events":
        raise ConfigError(
            f"data.source={config.data.source!r} does not say where events are: use rare_events, "
            "with your own recordings in data.root"
        )
    if config.train.patience < 1:
        raise ConfigError(f"train.patience={config.train.patience} must be 1 or more")
    threshold = config.score.threshold
    if threshold is not None and not 0 < threshold < 1:
        raise ConfigError(f"score.threshold={threshold} must be between 0 and 1, or None")
    if not config.score.collar > 0:
        raise ConfigError(f"score.collar={config.score.collar} must be above 0 seconds")


def _member(
    machine: Machine, config: Any, workdir: Path, detector: Detector, data: DataSet
) -> Member:
    """A class's detector, to be trained on its train clips, each clip a window."""
    length = shortest_clip(machine)
    whole = override(config, {"window.num_frames": length, "window.hop": length})
    _check_lengths(machine, length)
    split = part_of(machine.train, machine, data, "train")
    truth = np.array([span_of(data, machine, clip.name) or NO_EVENT for clip in split.mine.clips])
    windows = windows_of(split.mine, whole)
    targets = {"truth": truth.reshape(-1, 2).astype(np.float32)}
    batches = Batches(windows, split.ids, config.train.batch_size, config.seed, targets)
    own = workdir / machine.name
    watch = EarlyStopping(_valid_errors(machine, whole, detector, data), config.train.patience, own)
    return Member(machine.name, detector.method, batches, whole, own, watch)


def _valid_errors(
    machine: Machine, config: Any, detector: Detector, data: DataSet
) -> Callable[[Variables], float]:
    """How a detector is watched: its error rate on the valid clips, at the best threshold."""
    valid = part_of(machine.train, machine, data, "valid")

    def errors(variables: Variables) -> float:
        looks = look(detector, variables, valid, config, Stopwatch())
        truth = {name: span_of(data, machine, name) for name in looks}
        return min(error_rates(detector, looks, truth, config.score.collar))

    return errors


def _check_lengths(machine: Machine, shortest: int) -> None:
    """A clip is one window: a longer one would be heard in part."""
    every = np.concatenate([s.mine.num_frames for s in (machine.train, machine.test)])
    longest = int(gather_rows(every).max())
    if longest > shortest + 1:
        raise ConfigError(
            f"clips of {machine.name} have from {shortest} to {longest} frames: cut them to one"
            " length"
        )


def part_of(split: Split, machine: Machine, data: DataSet, name: str) -> Split:
    """This process's clips of a split that the annotations call so: `train`, `valid` or `test`."""
    annotated = data.source.annotated
    return split.part(
        np.array([annotated[machine.name, c.name].split == name for c in split.mine.clips], bool)
    )


def span_of(data: DataSet, machine: Machine, name: str) -> Span | None:
    """Where a clip's event is, or None."""
    event = data.source.annotated[machine.name, name].event
    return (event.onset, event.offset) if event else None


def _judge(
    member: Member, machine: Machine, detector: Detector, variables: Variables, data: DataSet
) -> OfClass:
    """Marks the test clips over a threshold that the valid clips have chosen."""
    config, stopwatch = member.config, Stopwatch()
    collar, threshold = config.score.collar, config.score.threshold

    def looked(split: Split) -> dict[str, Looks]:
        return look(detector, variables, split, config, stopwatch)

    def truth(looks: Mapping[str, Looks]) -> dict[str, Span | None]:
        return {name: span_of(data, machine, name) for name in looks}

    valid = looked(part_of(machine.train, machine, data, "valid"))
    if threshold is None:
        threshold = choose_threshold(detector, valid, truth(valid), collar)
    looks = looked(machine.test)
    marks = {name: detector.mark(each, threshold) for name, each in looks.items()}
    result = detected(truth(looks), spans(marks), collar)
    hours = (len(valid) + len(looks)) * config.window.num_frames / 3600
    cost = Cost(
        machine.name,
        num_parameters(variables),
        train_seconds(member.workdir),
        stopwatch.seconds,
        hours * config.logmel.hop_length / config.logmel.sample_rate,
    )
    return OfClass(machine.name, threshold, looks, marks, truth(looks), result, cost)


def look(
    detector: Detector,
    variables: Variables,
    split: Split,
    config: Any,
    stopwatch: Stopwatch,
) -> dict[str, Looks]:
    """What a detector says of every clip of a split, on all processes."""
    windows, size = windows_of(split.mine, config), config.score.batch_size
    compile_chunks(detector.look, variables, windows, split.ids, size)
    with stopwatch:
        parts = list(each_chunk(detector.look, variables, windows, split.ids, size))
    together = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    every = {key: gather_rows(each) for key, each in together.items()}
    names = [split.clips[i].name for i in gather_rows(split.positions[windows.clip])]
    return {name: {key: each[i] for key, each in every.items()} for i, name in enumerate(names)}


def choose_threshold(
    detector: Detector,
    looks: Mapping[str, Looks],
    truth: Mapping[str, Span | None],
    collar: float,
) -> float:
    """The threshold with the lowest error rate; of equals, the middle one."""
    rates = error_rates(detector, looks, truth, collar)
    best = np.flatnonzero(np.isclose(rates, np.min(rates)))
    return float(THRESHOLDS[best[(len(best) - 1) // 2]])


def error_rates(
    detector: Detector,
    looks: Mapping[str, Looks],
    truth: Mapping[str, Span | None],
    collar: float,
) -> list[float]:
    """At each of the `THRESHOLDS`.

    Raises:
        ConfigError: no clip has an event, so there is no rate.
    """
    rates = []
    for threshold in THRESHOLDS:
        marks = {name: detector.mark(each, threshold) for name, each in looks.items()}
        rate = detected(truth, spans(marks), collar).error_rate
        if rate is None:
            raise ConfigError("no valid clip has an event, by which a threshold could be chosen")
        rates.append(rate)
    return rates


def spans(marks: Marks) -> dict[str, list[Span]]:
    """Clip -> (onset, offset) of each of its marks."""
    return {name: [(mark.onset, mark.offset) for mark in each] for name, each in marks.items()}


def _write(detection: Detection) -> None:
    """`events.csv`, `thresholds.csv`, `costs.csv`, and `results.csv` last."""
    workdir, classes = detection.workdir, detection.classes
    lines = [
        (each.name, name, *mark)
        for each in classes
        for name, marks in each.marks.items()
        for mark in marks
    ]
    write_csv(workdir / "events.csv", ("class", "name", "onset", "offset", "score"), lines)
    scores = [
        (each.name, name, int(each.truth[name] is not None), float(looks["score"]))
        for each in classes
        for name, looks in each.looks.items()
    ]
    write_csv(workdir / "scores.csv", ("class", "name", "label", "score"), scores)
    write_csv(
        workdir / "thresholds.csv",
        ("class", "threshold", "num_events", "num_missed", "num_false"),
        [
            (c.name, c.threshold, c.result.num_events, c.result.num_missed, c.result.num_false)
            for c in classes
        ],
    )
    write_costs(workdir / "costs.csv", [each.cost for each in classes])
    write_classes(workdir / "results.csv", ("error_rate", "f1"), results_of(detection))
