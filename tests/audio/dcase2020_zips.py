"""Small archives under the names and in the layout of DCASE 2020 Task 2, for tests."""

import io
import zipfile
from pathlib import Path
from typing import ClassVar

import numpy as np
import soundfile

# Names in each archive of one machine, each with the seed of its samples.
DEVELOPMENT = {
    "train/normal_id_00_00000000.wav": 1,
    "train/normal_id_00_00000001.wav": 2,
    "train/normal_id_02_00000000.wav": 3,
    "test/normal_id_00_00000000.wav": 4,
    "test/anomaly_id_00_00000000.wav": 5,
    "test/anomaly_id_02_00000000.wav": 6,
}
ADDITIONAL = {"train/normal_id_01_00000000.wav": 7, "train/normal_id_01_00000001.wav": 8}
EVALUATION = {"test/id_01_00000000.wav": 9, "test/id_01_00000001.wav": 10}


def samples(seed: int) -> np.ndarray:
    """A second, or nearly, of noise at a recording's level, with both extremes in it."""
    rng = np.random.default_rng(seed)
    noise = (rng.normal(size=16_000 - seed) * 200).astype(np.int16)
    noise[:2] = -32768, 32767
    return noise


def wav(seed: int, rate: int = 16_000, subtype: str = "PCM_16") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples(seed), rate, format="WAV", subtype=subtype)
    return file.getvalue()


def write_zip(
    root: Path, file: str, machine: str, clips: dict[str, int] | dict[str, bytes]
) -> Path:
    root.mkdir(exist_ok=True)
    with zipfile.ZipFile(root / file, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.mkdir(f"{machine}/")
        zipped.writestr(f"{machine}/readme.txt", "not a clip")
        for name, clip in clips.items():
            zipped.writestr(f"{machine}/{name}", clip if isinstance(clip, bytes) else wav(clip))
    return root / file


def write_zips(root: Path) -> Path:
    """Writes all three parts of the fan; returns the directory."""
    write_zip(root, "dev_data_fan.zip", "fan", DEVELOPMENT)
    write_zip(root, "eval_data_train_fan.zip", "fan", ADDITIONAL)
    write_zip(root, "eval_data_test_fan.zip", "fan", EVALUATION)
    return root


class Counter:
    """Stands in for `experiments.progress.Progress`."""

    opened: ClassVar[list[tuple[str, int, str]]] = []

    def __init__(self, task: str, total: int, unit: str) -> None:
        Counter.opened.append((task, total, unit))

    def __enter__(self) -> "Counter":
        return self

    def __exit__(self, *reason: object) -> None:
        pass

    def update(self, done: int) -> None:
        self.done = done
