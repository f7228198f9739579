"""The evaluator's label file: what the unlabelled evaluation clips turned out to be.

`eval_data_list.csv` of Zenodo record 3951620, as `y-kawagu/dcase2020_task2_evaluator` reads it and
`nttcslab/dcase2023_task2_baseline_ae` ships it (`datasets/eval_data_list_2020.csv`): a row with
nothing but a machine type, then for each of its clips the name it was published under, its name
with the label, and 0 normal or 1 anomaly. It lists 7103 clips: fan 1342, pump 777, slider 834,
valve 940, ToyCar 1545, ToyConveyor 1665.
"""

import csv
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from audio.clips import ANOMALY, NORMAL, Clip, DataError

LABELS = {"0": NORMAL, "1": ANOMALY}


def read_labels(path: Path) -> dict[tuple[str, str], int]:
    """Returns the label of each (machine, name) in the evaluator's label file.

    Raises:
        DataError: the file is missing or is not in the evaluator's format.
    """
    labels: dict[tuple[str, str], int] = {}
    machine = None
    try:
        rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"label file {path} cannot be read: {error}") from error
    for number, row in enumerate(rows, start=1):
        match [cell.strip() for cell in row]:
            case [] | [""]:
                continue
            case [name]:
                machine = name
            case [name, _, ("0" | "1") as label] if machine is not None:
                labels[machine, name] = LABELS[label]
            case _:
                raise DataError(
                    f"label file {path}, line {number}: expected a machine type, or"
                    " id_01_00000000.wav,normal_id_01_00000000.wav,0 as in eval_data_list.csv of"
                    " Zenodo record 3951620"
                )
    return labels


def with_labels(clips: Iterable[Clip], path: Path) -> list[Clip]:
    """Returns the clips, those without a label given theirs from the evaluator's label file.

    Raises:
        DataError: the file is not one, or lacks a clip; the message counts and names them.
    """
    labels = read_labels(path)
    labelled, missing = [], []
    for clip in clips:
        if clip.label is not None:
            labelled.append(clip)
        elif (clip.machine, clip.name) in labels:
            labelled.append(replace(clip, label=labels[clip.machine, clip.name]))
        else:
            missing.append(f"{clip.machine} {clip.name}")
    if missing:
        raise DataError(
            f"label file {path} lacks {len(missing)} evaluation clips, {missing[0]} among them;"
            " use eval_data_list.csv of Zenodo record 3951620, or give none"
        )
    return labelled
