"""What lies in an archive: its clips' names, checked, and their samples."""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np
import soundfile

from audio.clips import ANOMALY, NORMAL, TEST, TRAIN, Clip, DataError
from audio.dcase2020.archives import Archive
from audio.dcase2020.progress import Progress

SAMPLE_RATE = 16_000

CLIP_NAME = re.compile(r"(?:(?P<label>normal|anomaly)_)?id_(?P<id>\d\d)_\d+\.wav")
LABELS = {"normal": NORMAL, "anomaly": ANOMALY, None: None}

# A member that cannot be inflated, or whose checksum is wrong, ends in one of these.
UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


def clip_of(machine: str, split: str, name: str) -> Clip:
    """Returns the clip that a file name describes.

    Raises:
        DataError: the name is not in the DCASE convention, or an anomaly is among train clips.
    """
    match = CLIP_NAME.fullmatch(name)
    if match is None:
        raise DataError(f"{name} is not named like normal_id_01_00000000.wav")
    label = LABELS[match["label"]]
    if split == TRAIN and label != NORMAL:
        raise DataError(f"{name} lies among train clips, which are normal_id_….wav")
    return Clip(machine, match["id"], split, label, name)


def clip_names(archive: Archive, path: Path) -> dict[str, list[str]]:
    """Returns the sorted names of the clips of each split of an archive.

    Raises:
        DataError: the file is no zip, holds no clips where they belong, or wrongly named ones.
    """
    names: dict[str, list[str]] = {split: [] for split in archive.splits}
    faults = []
    try:
        with zipfile.ZipFile(path) as zipped:
            members = [PurePosixPath(name) for name in zipped.namelist()]
    except (zipfile.BadZipFile, OSError) as error:
        raise corrupt(archive, path, [str(error)]) from error
    for member in members:
        if member.suffix != ".wav" or member.name.startswith("._"):
            continue
        if len(member.parts) != 3 or member.parts[0] != archive.machine:
            faults.append(f"{member} is not in {archive.machine}/{' or '.join((TRAIN, TEST))}")
        elif member.parts[1] in names:
            try:
                clip_of(archive.machine, member.parts[1], member.name)
            except DataError as error:
                faults.append(str(error))
            names[member.parts[1]].append(member.name)
    faults += [f"no clips in {archive.machine}/{split}" for split in names if not names[split]]
    if faults:
        raise corrupt(archive, path, faults)
    return {split: sorted(found) for split, found in names.items()}


def read_clips(
    archive: Archive, path: Path, split: str, names: list[str], progress: Progress
) -> Iterator[tuple[str, np.ndarray]]:
    """Yields name and samples, int16 (T,), of each clip of a split.

    Raises:
        DataError: at the end, when clips could not be read; it names them all.
    """
    faults = []
    with (
        zipfile.ZipFile(path) as zipped,
        progress(f"{archive.name} {split}", len(names), "clip") as bar,
    ):
        for count, name in enumerate(names, start=1):
            try:
                # Reading a member to its end checks its CRC.
                samples = pcm(zipped.read(f"{archive.machine}/{split}/{name}"))
            except (*UNREADABLE, DataError) as error:
                faults.append(f"{split}/{name}: {error}")
            else:
                yield name, samples
            bar.update(count)
    if faults:
        raise corrupt(archive, path, faults)


def pcm(wav: bytes) -> np.ndarray:
    """Returns the samples, int16 (T,), of a 16-bit mono wav file at 16 kHz.

    Raises:
        DataError: it is not such a file, is cut short, or holds no samples.
    """
    try:
        with soundfile.SoundFile(io.BytesIO(wav)) as file:
            form = file.subtype, file.channels, file.samplerate
            samples = file.read(dtype="int16")
    except soundfile.LibsndfileError as error:
        raise DataError("not a wav file") from error
    # The file's own idea of its size; libsndfile silently reads what there is.
    if int.from_bytes(wav[4:8], "little") + 8 > len(wav):
        raise DataError("cut short")
    if form != ("PCM_16", 1, SAMPLE_RATE):
        raise DataError(f"{form[0]}, {form[1]} channels, {form[2]} Hz; not PCM_16 mono 16000 Hz")
    if not len(samples):
        raise DataError("no samples")
    return samples


def corrupt(archive: Archive, path: Path, faults: list[str]) -> DataError:
    """Returns the error that names a bad archive and what is wrong in it."""
    more = f" and {len(faults) - 3} more" if len(faults) > 3 else ""
    return DataError(
        f"{path} is corrupt: {'; '.join(faults[:3])}{more}; delete it and download it again from"
        f" {archive.url}"
    )
