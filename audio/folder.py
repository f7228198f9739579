"""Folders of a person's own clips, in the DCASE layout or in MIMII's.

DCASE: `<root>/<machine>/train/normal_id_01_00000000.wav` and
`<root>/<machine>/test/{normal,anomaly}_id_01_00000000.wav`; in `test`, a clip that nobody has
labelled is `id_01_00000000.wav`. MIMII: `<root>/<machine>/id_00/{normal,abnormal}/00000000.wav`.
A machine folder that has a `train` or a `test` folder is read as DCASE's.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from audio import recordings
from audio.clips import ANOMALY, NORMAL, TEST, TRAIN, Clip, DataError

SUFFIXES = (*recordings.SUFFIXES, ".npy")

_DCASE_NAME = re.compile(r"(?:(normal|anomaly)_)?id_(\d{2,})_\w+", re.ASCII)
_MIMII_ID = re.compile(r"id_(\d{2,})", re.ASCII)
_LABELS = {"normal": NORMAL, "anomaly": ANOMALY, None: None}
_LAYOUTS = "MACHINE/{train,test}/ (DCASE) or MACHINE/id_00/{normal,abnormal}/ (MIMII)"


def list_clips(
    root: Path | str, machines: Sequence[str] = (), num_held_out: int | None = None
) -> list[Clip]:
    """Finds the clips under a folder, sorted by machine, split and name.

    `.wav`, `.flac` and `.ogg` are recordings, `.npy` are ready log-mels; suffixes may be in upper
    case. Other files, and those whose name begins with a dot, are passed over.

    MIMII clips are renamed as DCASE would (`anomaly_id_00_00000000.wav`), since their own names
    repeat from folder to folder. Which of an id's normal clips are held out for test is decided by
    the order of a hash of their names: scattered over the recording session, the same on every
    machine, and hardly disturbed by clips that are added later.

    Args:
        root: the folder that holds one folder a machine.
        machines: which to read; none given means all.
        num_held_out: MIMII layout only: normal clips of each id that go to test. None: as many as
            there are abnormal ones, as in the MIMII paper, but at most half of the normal ones.

    Raises:
        DataError: no clips to learn from, or a clip whose place or name contradicts the layout.
    """
    root = Path(root)
    found = _find_machines(root)
    missing = [name for name in machines if name not in found]
    if missing:
        raise DataError(
            f"{root} has no machine {', '.join(missing)}; it has {', '.join(found)}:"
            " correct data.machines"
        )
    clips = []
    for name in found:
        if not machines or name in machines:
            of_machine = _read_machine(root / name, num_held_out)
            _check_machine(root / name, of_machine)
            clips += of_machine
    return sorted(clips, key=lambda clip: (clip.machine, clip.split != TRAIN, clip.name))


def _find_machines(root: Path) -> list[str]:
    if not root.is_dir():
        raise DataError(f"{root} is not a folder: set data.root to the folder with your clips")
    found = sorted(folder.name for folder in _folders(root) if _is_machine(folder))
    if found:
        return found
    if _is_machine(root):
        raise DataError(f"{root} is itself a machine's folder: set data.root to {root.parent}")
    for folder in _folders(root):
        if any(_is_machine(inner) for inner in _folders(folder)):
            raise DataError(f"{root} has its machines one level down: set data.root to {folder}")
    raise DataError(f"{root} has no machines: lay your clips out as {_LAYOUTS}")


def _is_machine(folder: Path) -> bool:
    return _is_dcase(folder) or bool(_mimii_ids(folder))


def _is_dcase(folder: Path) -> bool:
    return (folder / TRAIN).is_dir() or (folder / TEST).is_dir()


def _mimii_ids(folder: Path) -> list[Path]:
    return [inner for inner in _folders(folder) if _MIMII_ID.fullmatch(inner.name)]


def _folders(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def _clip_files(folder: Path) -> list[Path]:
    """The files of known kinds in a folder, sorted; none where there is no such folder."""
    if not folder.is_dir():
        return []
    files = sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    )
    by_stem: dict[str, Path] = {}
    for path in files:
        twin = by_stem.setdefault(path.stem, path)
        if twin is not path:
            raise DataError(f"{path} is there as {twin.suffix} too: keep one of them")
    return files


def _read_machine(folder: Path, num_held_out: int | None) -> list[Clip]:
    if _is_dcase(folder):
        return [
            _dcase_clip(folder.name, split, path)
            for split in (TRAIN, TEST)
            for path in _clip_files(folder / split)
        ]
    return [clip for inner in _mimii_ids(folder) for clip in _mimii_clips(inner, num_held_out)]


def _dcase_clip(machine: str, split: str, path: Path) -> Clip:
    match = _DCASE_NAME.fullmatch(path.stem)
    if match is None:
        raise DataError(
            f"{path} is badly named: name it normal_id_01_00000000{path.suffix}, in test also"
            f" anomaly_id_01_00000000{path.suffix} or, unlabelled, id_01_00000000{path.suffix}"
        )
    label = _LABELS[match[1]]
    if split == TRAIN and label != NORMAL:
        kind = "an anomaly" if label == ANOMALY else "an unlabelled clip"
        raise DataError(
            f"{path} is {kind} among the training clips, which are normal ones only:"
            f" move it to {path.parent.parent / TEST}"
        )
    return Clip(machine, match[2], split, label, path.name, path)


def _mimii_clips(folder: Path, num_held_out: int | None) -> list[Clip]:
    """One id's clips, its normal ones shared out between train and test."""
    normal, abnormal = _clip_files(folder / "normal"), _clip_files(folder / "abnormal")
    num_test = min(len(abnormal), len(normal) // 2) if num_held_out is None else num_held_out
    if num_test < 0:
        raise DataError(f"data.num_held_out={num_test} is negative: set it to 0 or more")
    if num_test >= len(normal):
        raise DataError(
            f"{folder} has {len(normal)} normal clips, of which {num_test} are to be held out for"
            " test, so none is left to train on: set data.num_held_out to fewer"
        )
    held_out = set(sorted(normal, key=_hash_of_name)[:num_test])

    def clip(path: Path, split: str, kind: str) -> Clip:
        name = f"{kind}_{folder.name}_{path.name}"
        id_ = folder.name.removeprefix("id_")
        return Clip(folder.parent.name, id_, split, _LABELS[kind], name, path)

    normals = [clip(path, TEST if path in held_out else TRAIN, "normal") for path in normal]
    return normals + [clip(path, TEST, "anomaly") for path in abnormal]


def _hash_of_name(path: Path) -> str:
    return hashlib.sha256(path.name.encode()).hexdigest()


def _check_machine(folder: Path, clips: Iterable[Clip]) -> None:
    ids: dict[str, set[str]] = defaultdict(set)
    for clip in clips:
        ids[clip.split].add(clip.id)
    if not ids[TRAIN]:
        raise DataError(
            f"{folder} has no training clips: put normal ones in {folder / TRAIN},"
            " or leave this machine out of data.machines"
        )
    unseen = sorted(ids[TEST] - ids[TRAIN])
    if unseen:
        raise DataError(
            f"{folder / TEST} has clips of id {', '.join(unseen)}, of which {folder / TRAIN} has"
            " none: add normal training clips of it, or move its test clips away"
        )
