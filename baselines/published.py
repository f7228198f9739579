"""The networks whose weights somebody has published, and their files."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from baselines import cnn14_file, vggish_file
from baselines.errors import WeightsError
from baselines.layout import Arrays, Shapes
from baselines.torch_file import OLD_FORMAT

TENSORFLOW_END = bytes.fromhex("57fb808b247547db")  # of the tables that checkpoints are made of


class Published(NamedTuple):
    """What has been published of a network.

    Attributes:
        title: what people call it.
        files: that are needed.
        record: where they are.
        shapes: `() -> names and shapes` of our variables.
        read: `(*files) -> variables`.
    """

    title: str
    files: tuple[str, ...]
    record: str
    shapes: Callable[[], Shapes]
    read: Callable[..., Arrays]


PUBLISHED = {
    "cnn14": Published(
        "PANNs' Cnn14", cnn14_file.FILES, cnn14_file.RECORD, cnn14_file.shapes, cnn14_file.read
    ),
    "vggish": Published(
        "VGGish", vggish_file.FILES, vggish_file.RECORD, vggish_file.shapes, vggish_file.read
    ),
}


def network_of(file: str) -> str:
    """The network that a published file belongs to."""
    return next(name for name, published in PUBLISHED.items() if file in published.files)


def is_there(path: Path) -> bool:
    """Whether there is such a file, or such a prefix of a checkpoint's files."""
    return path.is_file() or Path(f"{path}.index").is_file()


def recognise(path: Path) -> str:
    """Which published file a file is, told by what is in it and not by its name.

    Raises:
        WeightsError: it is not there, or is none of them.
    """
    checkpoint, pca = vggish_file.FILES
    (panns,) = cnn14_file.FILES
    if not is_there(path):
        raise WeightsError(f"{path}: no such file")
    if not path.is_file():
        return checkpoint
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
        return pca if f"{vggish_file.PCA['pca.means']}.npy" in names else panns
    with path.open("rb") as file:
        start = file.read(len(OLD_FORMAT))
        file.seek(max(0, path.stat().st_size - len(TENSORFLOW_END)))
        end = file.read()
    if start == OLD_FORMAT:
        return panns
    if end == TENSORFLOW_END:
        return checkpoint
    raise WeightsError(f"{path} is none of {panns}, {checkpoint}, {pca}, or is damaged")
