"""Converts the published weights of pretrained networks to safetensors, once.

    python -m baselines.convert Cnn14_mAP=0.431.pth
    python -m baselines.convert vggish_model.ckpt vggish_pca_params.npz

The files are told apart by what is in them, and nothing in them is executed. Where they are:
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from baselines.errors import WeightsError
from baselines.published import PUBLISHED, network_of, recognise
from baselines.weights import SUFFIX, complete, save, weights_dir


def main(argv: Sequence[str] | None = None) -> int:
    """Converts; what a user can mend ends in one line and status 2."""
    args = parser().parse_args(argv)
    try:
        for name, files in by_network(args.files).items():
            convert(name, files, args.out)
    except WeightsError as error:
        print("error: " + " ".join(str(error).split()), file=sys.stderr)
        return 2
    return 0


def convert(name: str, files: Sequence[Path], folder: Path) -> Path:
    """Converts the files of one network; the converted file, in the folder.

    Raises:
        WeightsError: a file is not what it should be, or the folder cannot be written.
    """
    path, title = folder / f"{name}{SUFFIX}", PUBLISHED[name].title
    every = complete(name, files)
    print(f"{title}: reading {', '.join(map(str, every))}", flush=True)
    arrays = PUBLISHED[name].read(*every)
    save(path, arrays)
    megabytes = sum(array.nbytes for array in arrays.values()) / 1e6
    print(f"{title}: wrote {path} ({len(arrays)} arrays, {megabytes:.0f} MB)")
    return path


def by_network(files: Iterable[Path]) -> dict[str, list[Path]]:
    """Published files, sorted by the network they belong to."""
    networks: dict[str, list[Path]] = {}
    for path in files:
        networks.setdefault(network_of(recognise(path)), []).append(path)
    return networks


def parser() -> argparse.ArgumentParser:
    """The command line."""
    records = [f"    {', '.join(each.files)}: {each.record}" for each in PUBLISHED.values()]
    made = argparse.ArgumentParser(
        prog="python -m baselines.convert",
        description="\n".join([f"{__doc__}", *records]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a published file")
    made.add_argument(
        "--out",
        type=Path,
        default=weights_dir(),
        metavar="DIR",
        help="where converted weights are kept and looked for (default: %(default)s)",
    )
    return made


if __name__ == "__main__":
    sys.exit(main())
