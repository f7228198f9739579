"""The eighteen zip files of DCASE 2020 Task 2: six machine types in three parts.

Where the facts come from:
    File names, records and the layout inside (`<machine>/train`, `<machine>/test`): the README of
    `y-kawagu/dcase2020_task2_baseline` and `tools/data_download_2020.sh` of
    `nttcslab/dcase2023_task2_baseline_ae`.
    MD5 sums, as Zenodo publishes them beside each file: `soundata/datasets/dcase2020task2.py` of
    `soundata/soundata`. Those of the development fan, pump, slider and ToyCar files and of the
    additional ToyCar file were found a second time, elsewhere, and agree.

The recordings are CC BY-NC-SA 4.0 (Koizumi et al., NTT and Hitachi).
"""

from dataclasses import dataclass
from pathlib import Path

from audio.clips import TEST, TRAIN, DataError

MACHINES = ("ToyCar", "ToyConveyor", "fan", "pump", "slider", "valve")

BASE_URL = "https://zenodo.org/records"


@dataclass(frozen=True, slots=True)
class Part:
    """One of the three releases.

    Attributes:
        record: Zenodo record number.
        prefix: what its file names begin with, before the machine type.
        splits: the splits it holds.
    """

    record: str
    prefix: str
    splits: tuple[str, ...]


PARTS = {
    # Normal train clips and labelled test clips of the first units.
    "development": Part("3678171", "dev_data", (TRAIN, TEST)),
    # Normal train clips of the units that the challenge was judged on.
    "additional": Part("3727685", "eval_data_train", (TRAIN,)),
    # Test clips of those same units, unlabelled.
    "evaluation": Part("3841772", "eval_data_test", (TEST,)),
}

MD5 = {
    "dev_data_ToyCar.zip": "4dec75ca8d9f666aa9e4c1894a740501",
    "dev_data_ToyConveyor.zip": "03b6aa1bfd09a39d53af0ba39f71fa91",
    "dev_data_fan.zip": "649bdfc06263ae7a838963f43b6641e6",
    "dev_data_pump.zip": "90e7091ef722b7238a7f1009365779cd",
    "dev_data_slider.zip": "da24a757719f0d94d5aa2d646bbfdc86",
    "dev_data_valve.zip": "34d2672f55bb041589ef79c10dc89934",
    "eval_data_train_ToyCar.zip": "a5d4ccd498af70b04dd74b644b820006",
    "eval_data_train_ToyConveyor.zip": "0e808ac0b761e9fb13d5e0c65caff00d",
    "eval_data_train_fan.zip": "567798854130c8019df8b664c095ed1e",
    "eval_data_train_pump.zip": "4e33ae9c0db5cc88437675f5e317caee",
    "eval_data_train_slider.zip": "f84f186f4295fc23754abcdd1b0580a7",
    "eval_data_train_valve.zip": "057cdd560caffb8305449541afd28c6d",
    "eval_data_test_ToyCar.zip": "bea2bdd612f616be8f2b8eb087b32c7c",
    "eval_data_test_ToyConveyor.zip": "ccfcc9847c7d3404d7ee9d6d9e0b2ba2",
    "eval_data_test_fan.zip": "1eb9356a768cadfd0f2e59a5c57e578b",
    "eval_data_test_pump.zip": "23a8f8f924be218c69df67fe07360348",
    "eval_data_test_slider.zip": "0193c769073840332ce3aad84b1ccaa2",
    "eval_data_test_valve.zip": "f69c551d2088691050d20cccca9d631c",
}


@dataclass(frozen=True, slots=True)
class Archive:
    """One zip file: one machine type in one part.

    Attributes:
        machine: one of `MACHINES`.
        part: one of `PARTS`.
    """

    machine: str
    part: str

    @property
    def name(self) -> str:
        """The name of its builder config, such as `fan_development`."""
        return f"{self.machine}_{self.part}"

    @property
    def file(self) -> str:
        """The file's name, such as `dev_data_fan.zip`."""
        return f"{PARTS[self.part].prefix}_{self.machine}.zip"

    @property
    def record(self) -> str:
        """The Zenodo record that publishes it."""
        return PARTS[self.part].record

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits it holds."""
        return PARTS[self.part].splits

    @property
    def url(self) -> str:
        """Where it is downloaded from."""
        return f"{BASE_URL}/{self.record}/files/{self.file}?download=1"

    @property
    def md5(self) -> str:
        """The published sum of the file."""
        return MD5[self.file]


def chosen(machines: tuple[str, ...], parts: tuple[str, ...]) -> list[Archive]:
    """Returns the archives of these machine types (none: all six) and parts.

    Raises:
        DataError: a name is not among `MACHINES` or `PARTS`, or no part is named.
    """
    _known("machine type", machines, MACHINES)
    _known("part", parts, tuple(PARTS))
    if not parts:
        raise DataError(f"DCASE 2020 Task 2: name at least one part of {', '.join(PARTS)}")
    return [
        Archive(machine, part)
        for machine in MACHINES
        for part in PARTS
        if part in parts and (machine in machines or not machines)
    ]


def in_directory(archives: list[Archive], root: Path) -> dict[Archive, Path]:
    """Returns those of the archives that lie in a directory of downloaded zips.

    Raises:
        DataError: the directory does not exist.
    """
    if not root.is_dir():
        raise DataError(f"data.root {root} is not a directory; name one that holds the zips")
    paths = {archive: root / archive.file for archive in archives}
    return {archive: path for archive, path in paths.items() if path.is_file()}


def lacking(archives: list[Archive], root: Path) -> DataError:
    """Returns the error that names every archive missing from a directory."""
    files = ", ".join(f"{archive.file} (Zenodo record {archive.record})" for archive in archives)
    return DataError(
        f"data.root {root} lacks {files}: download from {BASE_URL}/<record> and put the zip there,"
        " or leave data.root empty to have it downloaded"
    )


def _known(what: str, names: tuple[str, ...], allowed: tuple[str, ...]) -> None:
    unknown = [name for name in names if name not in allowed]
    if unknown:
        raise DataError(
            f"DCASE 2020 Task 2 has no {what} {', '.join(unknown)}; it has {', '.join(allowed)}"
        )
