"""Binary vectors instead of clips: MADE as its paper tested it (Germain et al., 2015, section 6.1).

One training loop, one optimiser and one work directory with everything else; what differs is the
data, an early stop, and that the result is a likelihood.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile

import numpy as np
from ml_collections import ConfigDict

from audio.windows import Windows, find_windows
from experiments import binary_method
from experiments import workdir as work
from experiments.batches import Batches
from experiments.early_stopping import EarlyStopping
from experiments.errors import ConfigError
from experiments.method import Method, Variables
from experiments.metrics import read_metrics
from experiments.processes import is_main
from experiments.score import each_chunk
from experiments.steps import check_training
from experiments.track import Member
from experiments.train import train
from scoring.figures import png, svg
from scoring.files import write_bytes, write_text
from scoring.plots import curve_figure
from scoring.tables import write_csv

SPLITS = ("train", "valid", "test")
# What NumPy raises on files that are missing, cut off, text, pickles, or a single array.
UNREADABLE = (OSError, KeyError, ValueError, IndexError, BadZipFile)


class Likelihood(NamedTuple):
    """The mean negative log-likelihood of a split, in nats, and its standard error."""

    split: str
    num_vectors: int
    standard_error: float
    nll: float


def run_binary(config: Any, workdir: Path) -> Path | None:
    """Trains on the train vectors until the valid ones get no likelier, and scores all.

    Args:
        config: as `configs/made_binary.py` makes it.
        workdir: where all its files go.

    Returns:
        `results.csv`, or None on all processes but the main one.

    Raises:
        ConfigError: what a user can mend.
    """
    work.check(workdir, config)
    whole: Any = ConfigDict(config.to_dict())
    whole.train.checkpoint_every_steps = 1
    check_training(whole)
    if config.train.patience < 1:
        raise ConfigError(f"train.patience={config.train.patience} must be 1 or more")
    vectors = read_vectors(config.data.root)
    num_bits = vectors["train"].shape[1]
    windows = {split: _windows(rows) for split, rows in vectors.items()}
    ids = np.zeros(len(windows["train"]))
    batches = Batches(windows["train"], ids, config.train.batch_size, config.seed)
    # A look at the valid vectors, and a checkpoint, every epoch.
    whole.train.checkpoint_every_steps = batches.steps_per_epoch
    watch = EarlyStopping(
        _mean_nll(_method(config, num_bits, config.model.num_valid_masks), windows["valid"]),
        config.train.patience,
        workdir / "made",
    )
    method = _method(config, num_bits, config.model.num_test_masks)
    if is_main():
        work.claim(workdir, config)
    (variables,) = train([Member("made", method, batches, whole, workdir / "made", watch)])
    results = [_likelihood(split, method, variables, each) for split, each in windows.items()]
    if not is_main():
        return None
    best = watch.rows[watch.best_look]
    print(f"valid was likeliest at step {best['step']:g}: {best['loss']:.3f} nats")
    _draw(workdir, watch)
    for each in results:
        print(f"{each.split:6} {each.nll:8.3f} ± {each.standard_error:.3f} nats")
    return write_csv(workdir / "results.csv", Likelihood._fields, results)


def read_vectors(path: str | None) -> dict[str, np.ndarray]:
    """The vectors of each split, (vectors, bits) float32.

    Raises:
        ConfigError: there is no such file, or it does not hold binary vectors of one length.
    """
    if not path:
        raise ConfigError("made_binary needs its vectors: --config.data.root=FILE.npz")
    try:
        with Path(path).expanduser().open("rb") as file:
            arrays = np.load(file, allow_pickle=False)
            vectors = {split: arrays[split] for split in SPLITS}
    except UNREADABLE as error:
        raise ConfigError(
            f"{path} is no .npz file with train, valid and test vectors: {error}"
        ) from error
    for split, rows in vectors.items():
        if rows.ndim != 2 or not len(rows) or not np.isin(rows, (0, 1)).all():
            raise ConfigError(f"{path}: {split} must be (vectors, bits) of 0 and 1")
    if len({rows.shape[1] for rows in vectors.values()}) > 1:
        raise ConfigError(f"{path}: train, valid and test differ in the number of their bits")
    return {split: rows.astype(np.float32) for split, rows in vectors.items()}


def _windows(rows: np.ndarray) -> Windows:
    """Vectors as windows of one frame."""
    return find_windows(rows, np.arange(len(rows) + 1), 1, 1)


def _method(config: Any, num_bits: int, num_test_masks: int) -> Method:
    """The method, whose scores are averaged over so many masks."""
    settings = {**config.model.to_dict(), "num_bits": num_bits, "num_test_masks": num_test_masks}
    return binary_method.build(settings)


def _scores(method: Method, variables: Variables, windows: Windows) -> np.ndarray:
    """Minus the log-likelihood of every vector, nats."""
    ids = np.zeros(len(windows), np.int32)
    size = min(len(windows), 1024)
    return np.concatenate(list(each_chunk(method.score, variables, windows, ids, size)))


def _mean_nll(method: Method, windows: Windows) -> Callable[[Variables], float]:
    return lambda variables: float(_scores(method, variables, windows).mean())


def _likelihood(split: str, method: Method, variables: Variables, windows: Windows) -> Likelihood:
    nats = _scores(method, variables, windows).astype(np.float64)
    error = nats.std(ddof=1) / np.sqrt(len(nats)) if len(nats) > 1 else np.nan
    return Likelihood(split, len(nats), float(error), float(nats.mean()))


def _draw(workdir: Path, watch: EarlyStopping) -> None:
    """Training and held-out loss, as `curves.svg` and `curves.png`."""
    rows: list[Mapping[str, object]] = [*read_metrics(workdir / "made")]
    rows += [{"step": row["step"], "valid_loss": row["loss"]} for row in watch.rows]
    figure = curve_figure(rows)
    if figure is not None:
        write_bytes(workdir / "curves.png", png(figure, dpi=150))
        write_text(workdir / "curves.svg", svg(figure))
