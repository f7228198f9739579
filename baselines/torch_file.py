"""Reads the tensors of a PyTorch checkpoint without PyTorch, and without running anything in it.

A checkpoint is a pickle, and a pickle is a program: it names functions of any module, and calls
them. Here a name stands for what is in `_Reader.known`, or is an error; nothing is ever imported.
Both of PyTorch's formats are read: the zip archive that it writes since version 1.6, and the row
of pickles, with the numbers after them, that it wrote before.
"""

import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import numpy as np

from baselines.errors import WeightsError

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
OLD_FORMAT = pickle.dumps(MAGIC, 2)  # how such a file begins
DTYPES = {
    "torch.DoubleStorage": "<f8",
    "torch.FloatStorage": "<f4",
    "torch.HalfStorage": "<f2",
    "torch.LongStorage": "<i8",
    "torch.IntStorage": "<i4",
    "torch.ShortStorage": "<i2",
    "torch.CharStorage": "<i1",
    "torch.ByteStorage": "<u1",
    "torch.BoolStorage": "?",
}
# Arrays of NumPy's beside the weights, such as the state of what drew the training clips.
PASSED_OVER = (
    "numpy.core.multiarray._reconstruct",
    "numpy.core.multiarray.scalar",
    "numpy._core.multiarray._reconstruct",
    "numpy._core.multiarray.scalar",
    "numpy.ndarray",
    "numpy.dtype",
    "_codecs.encode",
)

GetStorage = Callable[[str, str, int], np.ndarray]


def read_checkpoint(path: Path) -> Any:
    """What was saved: dicts, lists, numbers, and NumPy arrays where there were tensors.

    Raises:
        WeightsError: the file is damaged, is no checkpoint, or asks for more than tensors.
    """
    try:
        with path.open("rb") as file:
            if file.read(len(OLD_FORMAT)) == OLD_FORMAT:
                file.seek(0)
                return _read_old(file, path.stat().st_size)
            with zipfile.ZipFile(file) as archive:
                return _read_zip(archive)
    except WeightsError as error:
        raise WeightsError(f"{path} {error}") from None
    except Exception as error:  # the pickle module lists what a damaged pickle raises as "others"
        said = " ".join(str(error).split()) or type(error).__name__
        raise WeightsError(f"{path} is damaged, or no PyTorch checkpoint: {said}") from error


class _Call:
    """A function that a pickle may call, and cannot change."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __call__(self, *args: Any) -> Any:
        return self.function(*args)

    def __setstate__(self, state: Any) -> NoReturn:
        raise WeightsError("gives a function a state, which tensors do not need; it was not run")


class _Passed:
    """Stands for what is passed over."""

    def __init__(self, *_: Any) -> None: ...

    def __setstate__(self, state: Any) -> None: ...


class _Reader(pickle.Unpickler):
    """Reads one pickle.

    Attributes:
        known: what the names in a pickle stand for.
        storage: `(key, dtype, count) -> (count,)`; None where there should be no tensors.
    """

    def __init__(self, file: Any, storage: GetStorage | None = None) -> None:
        super().__init__(file, encoding="utf-8")
        self.storage = storage
        self.known: dict[str, str | _Call] = {
            **DTYPES,
            **{name: _Call(_Passed) for name in PASSED_OVER},
            "collections.OrderedDict": _Call(OrderedDict),
            "torch._utils._rebuild_tensor_v2": _Call(_tensor),
            "torch._utils._rebuild_parameter": _Call(lambda tensor, *_: tensor),
        }

    def find_class(self, module: str, name: str, /) -> Any:
        """What a name stands for."""
        full = f"{module}.{name}"
        if full not in self.known:
            raise WeightsError(f"asks for {full}, which tensors do not need; it was not run")
        return self.known[full]

    def persistent_load(self, pid: Any, /) -> np.ndarray:
        """The numbers that tensors are views of."""
        kind, dtype, key, _, count, *view = pid
        if self.storage is None or kind != "storage" or any(view):
            raise WeightsError(f"has a {kind!r} that is not a plain storage of numbers")
        return self.storage(str(key), dtype, int(count))


def _tensor(
    storage: np.ndarray, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any
) -> np.ndarray:
    """A view of a storage; offset and strides count numbers, not bytes."""
    last = offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    if min((offset, *shape, *strides)) < 0 or (0 not in shape and last >= len(storage)):
        raise WeightsError(f"has a tensor of {shape} that reaches beyond its storage")
    steps = [step * storage.itemsize for step in strides]
    return np.lib.stride_tricks.as_strided(storage[offset:], shape, steps, writeable=False)


def _read_zip(archive: zipfile.ZipFile) -> Any:
    """`NAME/data.pkl`, and the storages in `NAME/data/`."""
    pickles = [name for name in archive.namelist() if name.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise WeightsError("is a zip archive, but no PyTorch checkpoint: it has no data.pkl")
    folder = pickles[0].removesuffix("data.pkl")
    order = f"{folder}byteorder"
    if order in archive.namelist() and archive.read(order).strip() != b"little":
        raise WeightsError("was saved on a big-endian machine: save it on another")
    storages: dict[str, np.ndarray] = {}

    def storage(key: str, dtype: str, count: int) -> np.ndarray:
        if key not in storages:
            storages[key] = np.frombuffer(archive.read(f"{folder}data/{key}"), dtype)
        if len(storages[key]) != count:
            raise WeightsError(f"is damaged: storage {key} does not have {count} numbers")
        return storages[key]

    with archive.open(pickles[0]) as file:
        return _Reader(file, storage).load()


def _read_old(file: BinaryIO, size: int) -> Any:
    """Magic number, protocol, the machine's sizes, what was saved, the storages' keys; numbers."""
    _, protocol, machine = (_Reader(file).load() for _ in range(3))
    if protocol != PROTOCOL or not machine["little_endian"]:
        raise WeightsError(f"is of PyTorch's protocol {protocol}, or big-endian: save it anew")
    storages: dict[str, np.ndarray] = {}

    def storage(key: str, dtype: str, count: int) -> np.ndarray:
        if not 0 <= count * np.dtype(dtype).itemsize <= size:
            raise WeightsError(f"is truncated: storage {key} should have {count} numbers")
        # The numbers come later; tensors are views, and will see them.
        return storages.setdefault(key, np.zeros(count, dtype))

    saved = _Reader(file, storage).load()
    for key in _Reader(file).load():
        numbers = storages[key]
        (count,) = struct.unpack("<q", file.read(8))
        content = file.read(numbers.nbytes)
        if count != len(numbers) or len(content) != numbers.nbytes:
            raise WeightsError(f"is truncated: storage {key} should have {len(numbers)} numbers")
        numbers[:] = np.frombuffer(content, numbers.dtype)
    return saved
