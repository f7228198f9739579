"""Makes data sets of archives, where that has not been done."""

import contextlib
import fcntl
import logging
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import tensorflow_datasets as tfds

from audio.clips import DataError
from audio.dcase2020.archives import Archive, chosen, in_directory, lacking
from audio.dcase2020.builder import Dcase2020Task2
from audio.dcase2020.download import md5
from audio.dcase2020.prepared import Prepared
from audio.dcase2020.progress import Progress, silent

_log = logging.getLogger(__name__)


def prepare(
    machines: Sequence[str],
    parts: Sequence[str],
    root: Path | None,
    data_dir: Path,
    labels: Path | None = None,
    progress: Progress = silent,
) -> Prepared:
    """Prepares DCASE 2020 Task 2, or what of it is not yet prepared.

    Each archive is a data set of its own, so a run that was stopped goes on with the archive it
    was at, and a download with the byte. What is prepared stays until its archive changes; the
    zips may be deleted. A second process that prepares the same directory waits for the first.

    Args:
        machines: machine types among `MACHINES`; none for all six.
        parts: among `PARTS`.
        root: a directory that holds the zips; None downloads them to `data_dir/downloads`.
        data_dir: where the prepared data sets are, or will be.
        labels: the evaluator's `eval_data_list.csv`, for the evaluation part.
        progress: opens a progress bar, such as `experiments.progress.Progress`.

    Raises:
        DataError: an archive is missing or corrupt, cannot be downloaded, or is not as published;
            a name is unknown; the label file cannot be used; the disk is full.
    """
    archives = chosen(tuple(machines), tuple(parts))
    try:
        with _alone(data_dir):
            zips = {} if root is None else in_directory(archives, root)
            stale = [
                archive
                for archive in archives
                if not _is_current(_builder(archive, data_dir), root, zips.get(archive))
            ]
            missing = [archive for archive in stale if archive not in zips]
            if root is not None and missing:
                raise lacking(missing, root)
            for archive in stale:
                _prepare_one(archive, zips.get(archive), data_dir, progress)
    except OSError as error:
        raise DataError(f"cannot prepare DCASE 2020 Task 2 in {data_dir}: {error}") from error
    return Prepared([_builder(archive, data_dir) for archive in archives], labels)


def _is_current(builder: Dcase2020Task2, root: Path | None, path: Path | None) -> bool:
    """Says whether an archive is prepared, and from the file that would be used now.

    That is the one in `data.root`; where `data.root` no longer holds it, whatever was prepared;
    and without a `data.root`, the published one.
    """
    if not builder.data_path.exists():
        return False
    contents = builder.contents
    if path is None:
        return root is not None or contents["md5"] == builder.archive.md5
    # Reading a gigabyte for its MD5 at every run is spared while the file looks untouched.
    stat = path.stat()
    untouched = (stat.st_size, stat.st_mtime_ns) == (contents["bytes"], contents["changed"])
    return untouched or md5(path) == contents["md5"]


def _prepare_one(archive: Archive, path: Path | None, data_dir: Path, progress: Progress) -> None:
    builder = _builder(archive, data_dir, path, progress)
    # Left by a run that was killed; no other process is at work here.
    for leftover in builder.data_path.parent.glob("incomplete.*"):
        shutil.rmtree(leftover)
    if builder.data_path.exists():
        _log.warning("%s has changed; preparing it again", archive.file)
        shutil.rmtree(builder.data_path)
        builder = _builder(archive, data_dir, path, progress)
    # TFDS must not draw bars over the house's own.
    tfds.disable_progress_bar()
    builder.download_and_prepare(
        download_dir=data_dir / "downloads",
        download_config=tfds.download.DownloadConfig(
            try_download_gcs=False, download_mode=tfds.GenerateMode.REUSE_DATASET_IF_EXISTS
        ),
    )
    _log.info("prepared %s in %s", archive.name, builder.data_path)


def _builder(
    archive: Archive, data_dir: Path, path: Path | None = None, progress: Progress = silent
) -> Dcase2020Task2:
    return Dcase2020Task2(
        config=archive.name, data_dir=data_dir, archive_path=path, progress=progress
    )


@contextlib.contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    """Keeps other processes from preparing the same directory meanwhile."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / "dcase2020_task2.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _log.info("waiting for another process that prepares %s", data_dir)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
