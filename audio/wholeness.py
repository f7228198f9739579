"""What a sound file's container promises, and whether it is all there."""

import struct
from pathlib import Path
from typing import BinaryIO

from audio.clips import DataError

# A chunk's size that says: as long as the stream lasts (ffmpeg writes it into a pipe).
_UNKNOWN_SIZES = (0, 0xFFFFFFFF)
PLAIN_WAV_HEADER = 44
_OGG_PAGE_HEADER = 27
_LONGEST_OGG_PAGE = _OGG_PAGE_HEADER + 255 + 255 * 255
_LAST_PAGE = 4


def check_whole(path: Path) -> None:
    """Finds files that are empty or end too early, where the decoder would not say so.

    Flac's decoder notices by itself.

    Raises:
        DataError: what is missing; without the file's name.
    """
    size = path.stat().st_size
    if size == 0:
        raise DataError("is empty")
    with path.open("rb") as file:
        match file.read(4):
            case b"RIFF":
                _check_wav(file, size)
            case b"OggS":
                _check_ogg(file, size)


def plain_wav_size(path: Path, rate: int) -> int:
    """Bytes of samples in a wav of the plainest kind; 0 for any other file, or a damaged one.

    The plainest kind is mono 16-bit PCM at `rate` Hz, with a header of 44 bytes and nothing between
    it and the samples.
    """
    try:
        with path.open("rb") as file:
            header = file.read(PLAIN_WAV_HEADER)
            there = path.stat().st_size - PLAIN_WAV_HEADER
    except OSError:
        return 0
    pcm = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16)
    if there <= 0 or header[:4] != b"RIFF" or header[8:40] != b"WAVE" + pcm + b"data":
        return 0
    (promised,) = struct.unpack("<I", header[40:])
    return promised if promised <= there and promised % 2 == 0 else 0


def _check_wav(file: BinaryIO, size: int) -> None:
    """Walks the chunks (name, size, content) up to the samples."""
    start = 12
    while start + 8 <= size:
        file.seek(start)
        name, promised = struct.unpack("<4sI", file.read(8))
        there = size - start - 8
        if name == b"data":
            if promised > there and promised not in _UNKNOWN_SIZES:
                raise DataError(f"is truncated: {there} of {promised} bytes of samples are there")
            return
        start += 8 + promised + promised % 2
    raise DataError("is truncated: it ends before its samples begin")


def _check_ogg(file: BinaryIO, size: int) -> None:
    """Looks for the page that is marked as the last one, and for all of it."""
    file.seek(max(0, size - 2 * _LONGEST_OGG_PAGE))
    tail = file.read()
    page = tail[tail.rfind(b"OggS") :]
    num_segments = page[26] if len(page) >= _OGG_PAGE_HEADER else 0
    body = page[_OGG_PAGE_HEADER : _OGG_PAGE_HEADER + num_segments]
    complete = (
        len(page) >= _OGG_PAGE_HEADER
        and len(body) == num_segments
        and len(page) >= _OGG_PAGE_HEADER + num_segments + sum(body)
    )
    if not (complete and page[5] & _LAST_PAGE):
        raise DataError("is truncated: its last page is missing")
