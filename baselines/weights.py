"""Weights of the pretrained networks: found, converted once, and kept as safetensors."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from flax.traverse_util import unflatten_dict
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from baselines.errors import WeightsError
from baselines.layout import Arrays, as_it_is, take
from baselines.published import PUBLISHED, is_there, network_of, recognise

SUFFIX = ".safetensors"


def weights_dir() -> Path:
    """Where converted weights are kept, unless they are asked for elsewhere."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "gmade" / "weights"


def load_weights(name: str, path: Path | None = None, folder: Path | None = None) -> Any:
    """The variables of a network, NumPy arrays.

    Published files that lie in the folder are converted there, the first time.

    Args:
        name: `cnn14` or `vggish`.
        path: a converted file, or one of the published ones, with the others beside it; None for
            what is kept in the folder.
        folder: where converted weights are kept; None for `weights_dir()`.

    Raises:
        WeightsError: there are none, or they are not what they should be; one line that says
            what is wrong, or what to download from where.
    """
    if name not in PUBLISHED:
        raise WeightsError(f"no network {name!r}: there are {', '.join(PUBLISHED)}")
    folder = folder or weights_dir()
    if path is not None and path.suffix != SUFFIX:
        return unflatten_dict(read_published(name, [path]), sep=".")
    kept = path or folder / f"{name}{SUFFIX}"
    if path is None and not kept.is_file():
        published = [folder / file for file in PUBLISHED[name].files]
        if absent := [file.name for file in published if not is_there(file)]:
            raise WeightsError(how_to_get(name, absent, folder))
        save(kept, read_published(name, published))
    return unflatten_dict(load(name, kept), sep=".")


def how_to_get(name: str, files: Iterable[str], folder: Path) -> str:
    """One line for who has no weights."""
    published, wanted = PUBLISHED[name], " and ".join(files)
    return (
        f"no weights of {published.title}: download {wanted} from {published.record} into {folder},"
        " or wherever you like and run python -m baselines.convert FILE..."
    )


def read_published(name: str, files: Iterable[Path]) -> Arrays:
    """A network's variables from its published files; see `complete`."""
    return PUBLISHED[name].read(*complete(name, files))


def complete(name: str, files: Iterable[Path]) -> list[Path]:
    """All published files of a network, in order.

    Args:
        name: of the network.
        files: some or all, in any order and under any name; others lie beside them under the
            names they were published under.

    Raises:
        WeightsError: a file is missing, another network's, or there twice.
    """
    found: dict[str, Path] = {}
    for path in files:
        kind = recognise(path)
        if network_of(kind) != name:
            raise WeightsError(f"{path} is {PUBLISHED[network_of(kind)].title}, not {name}'s")
        if kind in found:
            raise WeightsError(f"{path} and {found[kind]} are both {kind}: give one")
        found[kind] = path
    beside = next(iter(found.values())).parent
    every = {kind: found.get(kind, beside / kind) for kind in PUBLISHED[name].files}
    if absent := [kind for kind, path in every.items() if not is_there(path)]:
        raise WeightsError(how_to_get(name, absent, beside))
    return list(every.values())


def load(name: str, path: Path) -> Arrays:
    """A network's variables from a converted file.

    Raises:
        WeightsError: it is not there, or not what it should be.
    """
    try:
        arrays = load_file(path)
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path} cannot be read: {error}; convert it again") from error
    shapes = PUBLISHED[name].shapes()
    return take(path, arrays, {key: as_it_is(key, shapes[key]) for key in shapes}, shapes)


def save(path: Path, arrays: Arrays) -> None:
    """Writes a converted file under another name, which it loses once it is whole.

    Raises:
        WeightsError: it cannot be written.
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(arrays, partial)
        partial.replace(path)
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path} cannot be written: {error}") from error
    finally:
        partial.unlink(missing_ok=True)
