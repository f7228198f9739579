import hashlib
import http.server
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from audio.clips import DataError
from audio.dcase2020 import PARTS, archives, prepare
from audio.dcase2020.archives import MD5
from tests.audio.dcase2020_zips import ADDITIONAL, Counter, write_zip, write_zips


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_zips(tmp_path / "zips")


@pytest.fixture(autouse=True)
def opened() -> list[tuple[str, int, str]]:
    Counter.opened = []
    return Counter.opened


class Zenodo(http.server.BaseHTTPRequestHandler):
    """Serves `/<record>/files/<name>`, with ranges; `breaks` answers stop half-way."""

    root: Path
    breaks: int
    asked: list[str]

    def do_GET(self) -> None:
        first = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")[0])
        self.asked.append(f"{self.path.split('/')[1]} from {first}")
        content = (self.root / self.path.split("/")[-1].split("?")[0]).read_bytes()
        if first and first >= len(content):
            self.send_error(http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
            return
        body = content[first:]
        self.send_response(206 if first else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if Zenodo.breaks:
            Zenodo.breaks -= 1
            body = body[: len(body) // 2]
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def zenodo(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Zenodo]]:
    """Zenodo on loopback; the published sums are those of the small archives."""
    for path in root.iterdir():
        monkeypatch.setitem(MD5, path.name, hashlib.md5(path.read_bytes()).hexdigest())
    Zenodo.root, Zenodo.breaks, Zenodo.asked = root, 0, []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Zenodo)
    monkeypatch.setattr(archives, "BASE_URL", f"http://127.0.0.1:{server.server_port}")
    for variable in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield Zenodo
    server.shutdown()
    server.server_close()
    thread.join()


def test_downloads_once(zenodo: type[Zenodo], tmp_path: Path) -> None:
    data_dir = tmp_path / "tfds"
    prepared = prepare(["fan"], list(PARTS), None, data_dir, progress=Counter)
    assert len(prepared.clips) == 10
    assert zenodo.asked == ["3678171 from 0", "3727685 from 0", "3841772 from 0"]
    assert Counter.opened[0][0] == "dev_data_fan.zip"
    assert {path.name for path in (data_dir / "downloads").glob("*.*")} == {
        path.name for path in zenodo.root.iterdir()
    }
    again = prepare(["fan"], list(PARTS), None, data_dir)
    assert len(zenodo.asked) == 3 and again.identity == prepared.identity


def test_a_broken_download_goes_on_where_it_stopped(zenodo: type[Zenodo], tmp_path: Path) -> None:
    zenodo.breaks = 2
    prepared = prepare(["fan"], ["additional"], None, tmp_path / "tfds")
    starts = [int(line.split()[-1]) for line in zenodo.asked]
    assert len(starts) == 3 and starts == sorted(set(starts))
    assert len(prepared.clips) == len(ADDITIONAL)


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_a_download_of_an_earlier_run_is_continued(
    zenodo: type[Zenodo], tmp_path: Path, share: float
) -> None:
    content = (zenodo.root / "eval_data_train_fan.zip").read_bytes()
    part = tmp_path / "tfds" / "downloads" / "eval_data_train_fan.zip.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(content[: int(share * len(content))])
    prepare(["fan"], ["additional"], None, tmp_path / "tfds")
    assert zenodo.asked == [f"3727685 from {int(share * len(content))}"] and not part.exists()


def test_a_download_that_is_not_the_published_file_is_refused(
    zenodo: type[Zenodo], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MD5, "eval_data_train_fan.zip", "0" * 32)
    with pytest.raises(DataError, match="MD5 is not the published 0000"):
        prepare(["fan"], ["additional"], None, tmp_path / "tfds")
    assert not list((tmp_path / "tfds" / "downloads").glob("*.zip*"))


def test_what_was_made_of_other_zips_does_not_pass_for_the_published(
    zenodo: type[Zenodo], tmp_path: Path
) -> None:
    other = tmp_path / "other"
    write_zip(other, "eval_data_train_fan.zip", "fan", {"train/normal_id_03_00000000.wav": 3})
    assert len(prepare(["fan"], ["additional"], other, tmp_path / "tfds").clips) == 1
    published = prepare(["fan"], ["additional"], None, tmp_path / "tfds")
    assert len(published.clips) == len(ADDITIONAL)


def test_without_a_network_it_says_so_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setattr(
            archives, "BASE_URL", f"http://127.0.0.1:{unused.getsockname()[1]}/records"
        )
        started = time.monotonic()
        with pytest.raises(DataError) as caught:
            prepare(["fan"], ["development"], None, tmp_path / "tfds")
    message = str(caught.value)
    assert time.monotonic() - started < 5 and "\n" not in message
    assert "/records/3678171/files/dev_data_fan.zip?download=1: " in message
    assert "refused" in message and "data.root" in message
