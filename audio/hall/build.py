"""A hall on disk: every recording as a wav file, in the layout and names of DCASE."""

import csv
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from os import cpu_count
from pathlib import Path

import soundfile

from audio.clips import ANOMALY, NORMAL, TEST, TRAIN, DataError
from audio.hall.recording import Take, fault_of, synthesise
from audio.hall.settings import HallSettings, check

RECORD = "hall.json"
VERSION = 1  # raise it when the same settings begin to sound different
STALE = 3600.0  # seconds after which a half-written hall is taken for abandoned

Progress = Callable[[int, int], None]


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
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        _sweep(root)
        with tempfile.TemporaryDirectory(dir=root.parent, prefix=_partial(root)) as workshop:
            half = Path(workshop) / root.name
            _write_hall(half, settings, progress, num_workers or cpu_count() or 1)
            _publish(half, root, settings)
    except OSError as error:
        reason = error.strerror or error
        raise DataError(f"cannot write a hall to {root} ({reason}); choose another root") from error
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


def _write_hall(root: Path, settings: HallSettings, progress: Progress | None, num: int) -> None:
    for machine in settings.machines:
        (root / machine / TRAIN).mkdir(parents=True)
        (root / machine / TEST).mkdir()
    everything = list(takes(settings))
    with ThreadPoolExecutor(num) as pool:
        jobs = [pool.submit(_write_clip, root, take, settings) for take in everything]
        try:
            for done, job in enumerate(as_completed(jobs), start=1):
                job.result()
                if progress is not None:
                    progress(done, len(jobs))
        except BaseException:  # a full disk or an impatient user: do not write the rest first
            pool.shutdown(cancel_futures=True)
            raise
    _write_faults(root / "faults.csv", everything)
    (root / RECORD).write_text(json.dumps(_record(settings), indent=2) + "\n")


def _write_clip(root: Path, take: Take, settings: HallSettings) -> None:
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


def _publish(half: Path, root: Path, settings: HallSettings) -> None:
    """Moves the finished hall into place in one step; another builder may have been first."""
    try:
        half.rename(root)
    except OSError:
        if not _is_finished(root, settings):
            raise


def _partial(root: Path) -> str:
    return f".{root.name}.partial-"


def _sweep(root: Path) -> None:
    """Removes what builders that were killed have left; a living one has touched its own lately."""
    for left in root.parent.glob(f"{_partial(root)}*"):
        if time.time() - left.stat().st_mtime > STALE:
            shutil.rmtree(left, ignore_errors=True)
