"""The page of detections: which clips are shown, and what of them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from audio.clips import Clip
from audio.logmel import LogMel, mel_frequencies
from audio.pipeline import load
from experiments.data import Machine
from experiments.experiment import run_facts
from experiments.metrics import read_metrics
from experiments.strange import playable
from scoring.detection import found
from scoring.detection_page import Page, System, write_page
from scoring.detection_plots import Lane, MarkedClip

if TYPE_CHECKING:
    from pathlib import Path

    from experiments.detection import Detection, OfClass

# In this order one clip of each is shown, then another, until there are enough.
TELLING = ("found", "missed", "false alarm", "quiet")


def write(
    detections: "Sequence[Detection]", config: Any, workdir: "Path", seconds: float
) -> "Path":
    """Writes the page of one or more detectors that listened to the same clips.

    Args:
        detections: of each detector; the clips shown are chosen by what the first made of them.
        config: of the experiment.
        workdir: where it goes.
        seconds: wall time.
    """
    first = detections[0]
    clips = {
        machine.name: _clips(i, machine, detections, config.report.num_clips)
        for i, machine in enumerate(first.data.machines)
    }
    num_test = sum(len(machine.test.clips) for machine in first.data.machines)
    facts = {"Data": f"{first.config.data.source}, {num_test} test clips", **run_facts(seconds)}
    notes = {f"Note {i}": note for i, note in enumerate(first.data.notes, 1)}
    page = Page(
        title=f"{workdir.name}: {', '.join(clips)}",
        systems={each.name: _system(each) for each in detections},
        clips=clips,
        config=(workdir / "config.json").read_text(),
        facts={**facts, **notes},
    )
    return write_page(workdir / "report.html", page)


def _system(detection: "Detection") -> System:
    names = [each.name for each in detection.classes]
    return System(
        results={each.name: each.result for each in detection.classes},
        thresholds={each.name: each.threshold for each in detection.classes},
        costs=[each.cost for each in detection.classes],
        curves={name: read_metrics(detection.workdir / name) for name in names},
    )


def _clips(
    index: int, machine: Machine, detections: "Sequence[Detection]", num_clips: int
) -> list[MarkedClip]:
    """The most telling clips of a class."""
    by_name = {clip.name: clip for clip in machine.test.clips}
    chosen = telling(detections[0].classes[index], num_clips)
    return [_clip(by_name[name], index, detections) for name in chosen]


def telling(of_class: "OfClass", num_clips: int) -> list[str]:
    """Names of clips, of each outcome in turn."""
    kinds: dict[str, list[str]] = {outcome: [] for outcome in TELLING}
    for name, marks in of_class.marks.items():
        kinds[found(of_class.truth[name], [mark[:2] for mark in marks])].append(name)
    longest = max(map(len, kinds.values()), default=0)
    in_turn = [names[i] for i in range(longest) for names in kinds.values() if i < len(names)]
    return in_turn[:num_clips]


def _clip(clip: Clip, index: int, detections: "Sequence[Detection]") -> MarkedClip:
    config = detections[0].config
    settings = LogMel(**config.logmel.to_dict())
    logmels, _, _ = load([clip], settings, channel=config.data.channel, cache="none")
    lanes = {}
    for each in detections:
        of_class = each.classes[index]
        curve = of_class.looks[clip.name]["curve"]
        lanes[each.name] = Lane(of_class.marks[clip.name], curve, each.detector.curve_hop)
    return MarkedClip(
        name=clip.name,
        logmel=logmels.frames,
        hop_seconds=settings.hop_length / settings.sample_rate,
        mel_hz=mel_frequencies(settings),
        truth=detections[0].classes[index].truth[clip.name],
        lanes=lanes,
        audio=playable(clip, settings.sample_rate, config.data.channel, None),
    )
