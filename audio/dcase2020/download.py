"""Download of one archive: resumed where it broke off, checked by its published MD5."""

import hashlib
import http.client
import logging
import urllib.error
import urllib.request
from pathlib import Path

from audio.clips import DataError
from audio.dcase2020.archives import Archive
from audio.dcase2020.progress import Progress

TIMEOUT_SECONDS = 10.0
CHUNK_BYTES = 1 << 20

_log = logging.getLogger(__name__)


def download(archive: Archive, directory: Path, progress: Progress) -> Path:
    """Returns the downloaded archive, fetching what of it is not yet there.

    Bytes gather in `<file>.part`, which later calls continue; the file gets its own name once its
    MD5 is the published one. A connection that breaks is taken up again as long as each attempt
    brings something.

    Raises:
        DataError: nothing can be reached, or what came is not the published file.
    """
    path = directory / archive.file
    if path.is_file():
        return path
    directory.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    _log.info("downloading %s", archive.url)
    whole = False
    while not whole:
        before = _size(part)
        try:
            whole = _fetch(archive, part, progress)
        except (OSError, http.client.HTTPException) as error:
            if _size(part) <= before:
                raise _unreachable(archive, part, error) from error
            _log.warning("%s broke off (%s); continuing", archive.url, error)
    if md5(part) != archive.md5:
        part.unlink()
        raise DataError(
            f"{archive.url} gave a file whose MD5 is not the published {archive.md5}; it was"
            " removed: run again, or download it by hand and name its directory as data.root"
        )
    return part.rename(path)


def md5(path: Path) -> str:
    """Returns the MD5 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def _fetch(archive: Archive, part: Path, progress: Progress) -> bool:
    """Appends what the server has beyond the end of `part`; returns whether that was all."""
    done = _size(part)
    # A server that knows nothing of ranges answers with the whole file, from its beginning.
    headers = {"User-Agent": "gmade", "Range": f"bytes={done}-"}
    request = urllib.request.Request(archive.url, headers=headers)
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        error.close()
        # Nothing lies beyond the end: a run was stopped between the last byte and the check.
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and done:
            return True
        raise
    with response:
        continues = response.status == http.HTTPStatus.PARTIAL_CONTENT
        done = done if continues else 0
        total = done + int(response.headers["Content-Length"] or 0)
        with (
            part.open("ab" if continues else "wb") as file,
            progress(archive.file, total >> 20, "MB") as bar,
        ):
            while chunk := response.read(CHUNK_BYTES):
                file.write(chunk)
                done += len(chunk)
                bar.update(done >> 20)
    if done < total:
        raise http.client.IncompleteRead(b"", total - done)
    return True


def _unreachable(archive: Archive, part: Path, error: Exception) -> DataError:
    kept = f" (what has come is kept in {part})" if part.exists() else ""
    reason = getattr(error, "reason", error)
    return DataError(
        f"cannot download {archive.url}: {reason}{kept}; run again with a network, or put"
        f" {archive.file} into a directory and name that as data.root"
    )


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
