"""Checkpoints in PyTorch's own formats, written without PyTorch; test_peers.py loads them with it.

And weights at random, under the names and in the layouts of the published files.
"""

import pickle
import struct
import zipfile
from collections import OrderedDict
from itertools import pairwise
from typing import NamedTuple

import numpy as np

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
MACHINE = {
    "protocol_version": PROTOCOL,
    "little_endian": True,
    "type_sizes": {"short": 2, "int": 4, "long": 4},
}
STORAGES = {"f4": "FloatStorage", "i8": "LongStorage"}


class Global(NamedTuple):
    """Something that a pickle names."""

    module: str
    name: str

    def __call__(self):
        raise AssertionError("only the pickle calls it")


class Call(NamedTuple):
    """Something that a pickle calls."""

    function: Global
    args: tuple


class Storage(NamedTuple):
    """Numbers that tensors are views of; `lacking` are promised, and not there."""

    key: str
    array: np.ndarray
    lacking: int = 0


class Tensor(NamedTuple):
    """A tensor as it is pickled: a view of a storage."""

    storage: Storage
    offset: int
    shape: tuple
    strides: tuple


class Pickler(pickle._Pickler):
    """Pickles arrays as PyTorch pickles tensors, and globals without looking them up."""

    def __init__(self, file, old):
        super().__init__(file, 2)
        self.old = old
        self.storages = {}

    def persistent_id(self, obj):
        if not isinstance(obj, Storage):
            return None
        self.storages[obj.key] = obj.array
        kind = Global("torch", STORAGES[obj.array.dtype.str[1:]])
        pid = ("storage", kind, obj.key, "cpu", obj.array.size + obj.lacking)
        return (*pid, None) if self.old else pid

    def save(self, obj, save_persistent_id=True):
        if isinstance(obj, Global):
            self.write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode())
        elif isinstance(obj, np.ndarray):
            self.save(as_tensor(obj, str(len(self.storages))))
        elif isinstance(obj, Tensor):
            rebuild = Global("torch._utils", "_rebuild_tensor_v2")
            self.save_reduce(rebuild, (*obj, False, OrderedDict()))
        elif isinstance(obj, Call):
            self.save_reduce(obj.function, obj.args)
        else:
            super().save(obj, save_persistent_id)


def as_tensor(array, key):
    steps = tuple(step // array.itemsize for step in array.strides)
    return Tensor(Storage(key, array.ravel()), 0, array.shape, steps)


def write_zip(path, saved):
    """As PyTorch 1.6 and later."""
    with zipfile.ZipFile(path, "w") as archive:
        with archive.open("archive/data.pkl", "w") as file:
            pickler = Pickler(file, old=False)
            pickler.dump(saved)
        archive.writestr("archive/version", "3\n")
        for key, array in pickler.storages.items():
            archive.writestr(f"archive/data/{key}", array.tobytes())
    return path


def write_old(path, saved):
    """As PyTorch before that."""
    with path.open("wb") as file:
        for header in (MAGIC, PROTOCOL, MACHINE):
            pickle.dump(header, file, 2)
        pickler = Pickler(file, old=True)
        pickler.dump(saved)
        pickle.dump(sorted(pickler.storages), file, 2)
        for key in sorted(pickler.storages):
            array = pickler.storages[key]
            file.write(struct.pack("<q", array.size))
            file.write(array.tobytes())
    return path


def panns_state(first=64, seed=0):
    """A state dict of Cnn14's, at random, whose activations keep their size."""
    rng = np.random.default_rng(seed)
    state = OrderedDict()
    state["logmel_extractor.melW"] = np.zeros((513, 64), np.float32)
    _norm(rng, state, "bn0", 64)
    channels = [1, *(first * 2**i for i in range(6))]
    for block, (below, features) in enumerate(pairwise(channels), start=1):
        for i, fan in ((1, below), (2, features)):
            kernel = rng.standard_normal((features, fan, 3, 3), np.float32)
            kernel *= np.float32(np.sqrt(2 / (9 * fan)))
            state[f"conv_block{block}.conv{i}.weight"] = kernel
            _norm(rng, state, f"conv_block{block}.bn{i}", features)
    width = channels[-1]
    state["fc1.weight"] = _normal(rng, (width, width), np.sqrt(1 / width))
    state["fc1.bias"] = _normal(rng, width, 0.3)
    state["fc_audioset.weight"] = _normal(rng, (527, width), 0.01)
    state["fc_audioset.bias"] = _normal(rng, 527, 0.01)
    return state


def _norm(rng, state, name, features):
    state[f"{name}.weight"] = rng.uniform(0.5, 1.5, features).astype(np.float32)
    state[f"{name}.bias"] = _normal(rng, features, 0.1)
    # Of log-mels in dB, and of activations.
    state[f"{name}.running_mean"] = _normal(rng, features, 10.0 if name == "bn0" else 0.1)
    var = rng.uniform(0.5, 2.0, features) * (100.0 if name == "bn0" else 1.0)
    state[f"{name}.running_var"] = var.astype(np.float32)
    state[f"{name}.num_batches_tracked"] = np.array(7)


def _normal(rng, shape, scale):
    return (scale * rng.normal(size=shape)).astype(np.float32)


LAYERS = {
    "conv1": (3, 3, 1, 64),
    "conv2": (3, 3, 64, 128),
    "conv3/conv3_1": (3, 3, 128, 256),
    "conv3/conv3_2": (3, 3, 256, 256),
    "conv4/conv4_1": (3, 3, 256, 512),
    "conv4/conv4_2": (3, 3, 512, 512),
    "fc1/fc1_1": (12288, 4096),
    "fc1/fc1_2": (4096, 4096),
    "fc2": (4096, 128),
}


def vggish_arrays(seed=0, hidden=4096):
    """The variables of VGGish's checkpoint, at random."""
    rng = np.random.default_rng(seed)
    arrays = {}
    for name, shape in LAYERS.items():
        shape = tuple(hidden if side == 4096 else side for side in shape)
        kernel = rng.standard_normal(shape, np.float32)
        kernel *= np.float32(np.sqrt(2 / np.prod(shape[:-1])))
        arrays[f"vggish/{name}/weights"] = kernel
        arrays[f"vggish/{name}/biases"] = _normal(rng, shape[-1], 0.1)
    return arrays


def pca_arrays(seed=1):
    """The arrays of VGGish's PCA, at random; the means are a column, as published."""
    rng = np.random.default_rng(seed)
    return {
        "pca_eigen_vectors": _normal(rng, (128, 128), 0.1),
        "pca_means": _normal(rng, (128, 1), 0.3),
    }


def write_vggish(folder, arrays, pca, version=1):
    """Both of VGGish's files, under their published names; the checkpoint's path and the PCA's."""
    import tensorflow as tf

    checkpoint, params = folder / "vggish_model.ckpt", folder / "vggish_pca_params.npz"
    names, tensors = list(arrays), [tf.constant(array) for array in arrays.values()]
    if version == 1:
        tf.raw_ops.Save(filename=str(checkpoint), tensor_names=names, data=tensors)
    else:
        slices = [""] * len(names)
        tf.raw_ops.SaveV2(
            prefix=str(checkpoint), tensor_names=names, shape_and_slices=slices, tensors=tensors
        )
    np.savez_compressed(params, **pca)
    return checkpoint, params
