import os

import pytest

from audio.clips import DataError
from audio.recordings import files_under, fingerprint, recordings_under
from audio.whole_folder import in_threads, whole_folder


def test_recordings_are_found_in_folders_that_are_links(tmp_path):
    real, root = tmp_path / "real" / "deep", tmp_path / "root"
    real.mkdir(parents=True)
    root.mkdir()
    for name in ("b.WAV", "a.flac", ".hidden.wav", "notes.txt"):
        (real / name).write_bytes(b"1")
    (root / "link").symlink_to(tmp_path / "real")
    names = [path.relative_to(root).as_posix() for path in recordings_under(root)]
    assert names == ["link/deep/a.flac", "link/deep/b.WAV"]
    assert len(files_under(root)) == 4


def test_a_file_that_changes_or_comes_changes_the_fingerprint(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(b"1")
    before = fingerprint(files_under(tmp_path), tmp_path)
    assert before[0][:2] == ("a.wav", 1)
    os.utime(path, (0, 0))
    changed = fingerprint(files_under(tmp_path), tmp_path)
    (tmp_path / "b.wav").write_bytes(b"")
    assert before != changed != fingerprint(files_under(tmp_path), tmp_path)


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    root = tmp_path / "new" / "set"
    with whole_folder(root, root.is_dir, "a set") as half:
        (half / "file").write_text("1")
        assert not root.exists()
    assert (root / "file").read_text() == "1"
    other = tmp_path / "other"
    with pytest.raises(KeyboardInterrupt), whole_folder(other, other.is_dir, "a set") as half:
        (half / "file").write_text("1")
        raise KeyboardInterrupt
    assert {path.name for path in tmp_path.iterdir()} == {"new"}


@pytest.mark.parametrize("is_whole", [True, False])
def test_another_builder_may_have_been_first(tmp_path, is_whole):
    root = tmp_path / "set"

    def build():
        with whole_folder(root, lambda: is_whole, "a set", "go elsewhere") as half:
            (half / "mine").write_text("1")
            root.mkdir()
            (root / "theirs").write_text("1")

    if is_whole:
        build()
    else:
        with pytest.raises(DataError, match=r"cannot write a set to .*; go elsewhere"):
            build()
    assert [path.name for path in root.iterdir()] == ["theirs"]


def test_threads_give_what_they_make_in_order_and_say_how_far_they_are():
    seen = []
    squares = in_threads(lambda n: n * n, range(20), lambda *count: seen.append(count), 4)
    assert squares == [n * n for n in range(20)]
    assert seen == [(done, 20) for done in range(1, 21)]
