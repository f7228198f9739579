"""A hall on disk: every recording as a wav file, in the layout and names of DCASE."""

import csv
import json
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path

import soundfile

from audio.clips import ANOMALY, NORMAL, TEST, TRAIN, DataError
from audio.hall.recording import Take, fault_of, synthesise
from audio.hall.settings import HallSettings, check
from audio.whole_folder import Progress, in_threads, whole_folder

RECORD = "hall.json"
VERSION = 1  # raise it when the same settings begin to sound different


def build_hall(
    root: Path,
    settings: HallSettings,
    progress: Progress | None = None,
    num_workers: int | None = None,
) -> Path:
    """Writes a machine hall, unless it is there already.

    The hall appears under `root` all at once when it is finished, so one that is there is whole,
    and two processes may build the same one at the same time.

    Args:
        root: the folder to write; its parents are made.
        settings: what to write.
        progress: called with the number of clips written so far and the number in all.
        num_workers: threads that write (numpy lets go of the interpreter while it computes, so
            they share the cores); by default one for each core.

    Returns:
        `root`, holding `<machine>/{train,test}/*.wav`, `faults.csv` and `hall.json`.

    Raises:
        DataError: the settings are impossible, `root` holds something else, or cannot be written.
    """
    check(settings)
    root = Path(root)
    if _is_finished(root, settings):
        return root
    whole = partial(_is_finished, root, settings)
    with whole_folder(root, whole, "a hall", "choose another root") as half:
        _write_hall(half, settings, progress, num_workers)
    return root


def takes(settings: HallSettings) -> Iterator[Take]:
    """Every recording of a hall, in the order of its files."""
    for machine in settings.machines:
        for unit_id in range(settings.num_ids):
            for split, label, count in (
                (TRAIN, NORMAL, settings.num_train),
                (TEST, NORMAL, settings.num_normal),
                (TEST, ANOMALY, settings.num_anomaly),
            ):
                for index in range(count):
                    yield Take(machine, unit_id, split, label, index)


def file_name(take: Take) -> str:
    """The file's name in the DCASE convention, such as `anomaly_id_01_00000003.wav`."""
    word = "anomaly" if take.label == ANOMALY else "normal"
    return f"{word}_id_{take.unit_id:02d}_{take.index:08d}.wav"


def _is_finished(root: Path, settings: HallSettings) -> bool:
    """Whether `root` holds this very hall; DataError if it holds anything else."""
    if not root.exists() or (root.is_dir() and not any(root.iterdir())):
        return False
    mend = "choose another root or remove it"
    found = _read_record(root)
    if found is None:
        raise DataError(f"{root} exists and is not a machine hall; {mend}")
    wanted = _record(settings)
    differs = [key for key, value in wanted.items() if found.get(key) != value]
    if differs:
        raise DataError(f"{root} holds a machine hall of another {', '.join(differs)}; {mend}")
    return True


def _read_record(root: Path) -> dict | None:
    try:
        found = json.loads((root / RECORD).read_text())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and "version" in found else None


def _record(settings: HallSettings) -> dict:
    return {"version": VERSION, **asdict(settings), "machines": list(settings.machines)}


def _write_hall(
    root: Path, settings: HallSettings, progress: Progress | None, num_workers: int | None
) -> None:
    for machine in settings.machines:
        (root / machine / TRAIN).mkdir(parents=True)
        (root / machine / TEST).mkdir()
    everything = list(takes(settings))
    write = partial(_write_clip, root, settings)
    in_threads(write, everything, progress, num_workers)
    _write_faults(root / "faults.csv", everything)
    (root / RECORD).write_text(json.dumps(_record(settings), indent=2) + "\n")


def _write_clip(root: Path, settings: HallSettings, take: Take) -> None:
    signal = synthesise(take, settings, *fault_of(take))
    path = root / take.machine / take.split / file_name(take)
    soundfile.write(path, signal, settings.sample_rate, subtype="PCM_16")


def _write_faults(path: Path, everything: list[Take]) -> None:
    with path.open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["machine", "id", "name", "fault", "severity"])
        for take in everything:
            if take.label == ANOMALY:
                unit = f"{take.unit_id:02d}"
                table.writerow([take.machine, unit, file_name(take), *fault_of(take)])
