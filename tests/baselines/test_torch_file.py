"""Checkpoints are read as they were saved, and nothing in them is run."""

import os
import pickle
import zipfile
from collections import OrderedDict

import numpy as np
import pytest

from baselines.errors import WeightsError
from baselines.torch_file import read_checkpoint
from tests.baselines.checkpoints import Call, Global, Storage, Tensor, write_old, write_zip

NUMBERS = np.arange(24, dtype=np.float32)
SHARED = Storage("shared", NUMBERS)

both_formats = pytest.mark.parametrize("write", [write_old, write_zip])


def write_pickle(path, content):
    """A checkpoint of the zip format, given its pickle."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", content)
    return path


@both_formats
def test_tensors_are_read_as_they_were_saved(write, tmp_path):
    saved = {
        "iteration": 600000,
        "model": OrderedDict(
            matrix=NUMBERS.reshape(4, 6),
            part=Tensor(SHARED, 6, (2, 3), (6, 2)),
            same=Tensor(SHARED, 0, (24,), (1,)),
            count=np.array(7),
            empty=np.zeros((0, 3), np.float32),
        ),
    }
    read = read_checkpoint(write(tmp_path / "c.pth", saved))
    model = read["model"]
    assert read["iteration"] == 600000
    assert model["matrix"].dtype == np.float32
    np.testing.assert_array_equal(model["matrix"], NUMBERS.reshape(4, 6))
    np.testing.assert_array_equal(model["part"], NUMBERS.reshape(4, 6)[1:3, ::2])
    np.testing.assert_array_equal(model["same"], NUMBERS)
    assert model["count"].dtype == np.int64
    assert model["count"] == 7
    assert model["empty"].shape == (0, 3)


@both_formats
def test_what_a_checkpoint_would_run_is_named_and_not_run(write, tmp_path):
    evil = tmp_path / "evil"
    call = Call(Global(os.mkdir.__module__, "mkdir"), (str(evil),))
    path = write(tmp_path / "c.pth", {"model": {"x": NUMBERS, "y": call}})
    with pytest.raises(WeightsError, match=r"c\.pth asks for posix\.mkdir.*not run"):
        read_checkpoint(path)
    assert not evil.exists()


def test_the_same_pickle_runs_where_pickles_do(tmp_path):
    """Or the test above would show nothing."""
    evil = tmp_path / "evil"
    path = write_zip(tmp_path / "c.pth", Call(Global("posix", "mkdir"), (str(evil),)))
    with zipfile.ZipFile(path) as archive:
        pickle.loads(archive.read("archive/data.pkl"))
    assert evil.exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"cbuiltins\neval\n(S'1/0'\ntR.", "asks for builtins.eval"),
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93.", "asks for os.system"),
        (b"(S'x'\nios\nsystem\n.", "asks for os.system"),
        (b"\x80\x04\x8c\x0bcollections\x8c\x14OrderedDict.__init__\x93.", r"OrderedDict.__init__"),
        (b"ctorch\nload\n.", "asks for torch.load"),
        (b"ctorch._utils\n_rebuild_tensor_v2\n}b.", "gives a function a state"),
        (b"ccollections\nOrderedDict\n}S'update'\nNsb.", "gives a function a state"),
        (b"\x80\x02\x82\x01.", "damaged"),
        (b"\x80\x02(S'module'\nNNNNtQ.", "'module' that is not a plain storage"),
        (b"\x80\x02(S'storage'\nS'<f4'\nS'0'\nNK\x01(K\x01ttQ.", "'storage' that is not a plain"),
    ],
)
def test_every_way_to_a_function_is_shut(content, said, tmp_path):
    with pytest.raises(WeightsError, match=said):
        read_checkpoint(write_pickle(tmp_path / "c.pth", content))


@pytest.mark.parametrize("module", [b"numpy.core.", b"numpy._core."])
def test_arrays_beside_the_tensors_are_passed_over(module, tmp_path):
    """What draws PANNs' training clips keeps its state in them."""
    state = pickle.dumps({"indexes": np.arange(3), "last": np.float64(2.0), "pointer": 5}, 2)
    state = state.replace(b"numpy._core.", module)
    read = read_checkpoint(write_pickle(tmp_path / "c.pth", state))
    assert set(read) == {"indexes", "last", "pointer"}
    assert read["pointer"] == 5
    assert not isinstance(read["indexes"], np.ndarray)


@both_formats
@pytest.mark.parametrize(
    "tensor",
    [
        Tensor(SHARED, 0, (25,), (1,)),
        Tensor(SHARED, 20, (5,), (1,)),
        Tensor(SHARED, 0, (3, 2), (12, 1)),
        Tensor(SHARED, -1, (3,), (1,)),
        Tensor(SHARED, 23, (3,), (-1,)),
        Tensor(SHARED, 0, (3, 2), (1,)),
    ],
)
def test_no_tensor_reaches_beyond_its_storage(write, tensor, tmp_path):
    with pytest.raises(WeightsError, match=r"reaches beyond|damaged"):
        read_checkpoint(write(tmp_path / "c.pth", {"x": tensor}))


@both_formats
def test_a_file_that_was_cut_off_is_not_read(write, tmp_path):
    path = write(tmp_path / "c.pth", {"x": NUMBERS, "y": 2 * NUMBERS})
    content = path.read_bytes()
    for size in (0, 5, 100, len(content) // 2, len(content) - 4):
        path.write_bytes(content[:size])
        with pytest.raises(WeightsError, match=r"c\.pth is (damaged|truncated)"):
            read_checkpoint(path)


def test_other_zip_archives_are_no_checkpoints(tmp_path):
    np.savez(tmp_path / "c.npz", x=NUMBERS)
    with pytest.raises(WeightsError, match=r"no data\.pkl"):
        read_checkpoint(tmp_path / "c.npz")


@both_formats
def test_a_storage_has_all_the_numbers_it_promises(write, tmp_path):
    tensor = Tensor(Storage("0", NUMBERS, lacking=1), 0, (24,), (1,))
    with pytest.raises(WeightsError, match=r"storage 0 (does not|should) have 25 numbers"):
        read_checkpoint(write(tmp_path / "c.pth", {"x": tensor}))
