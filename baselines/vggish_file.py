"""VGGish's weights as AudioSet published them: a TensorFlow checkpoint, and a PCA beside it."""

import re
import zipfile
from pathlib import Path

import numpy as np

from baselines import tensorflow_file, vggish
from baselines.errors import WeightsError
from baselines.layout import Arrays, Shapes, as_it_is, shapes_of, take

FILES = ("vggish_model.ckpt", "vggish_pca_params.npz")
RECORD = "AudioSet's storage (https://storage.googleapis.com/audioset/)"
PCA = {"pca.eigen_vectors": "pca_eigen_vectors", "pca.means": "pca_means"}
PCA_SHAPES = {
    "pca.eigen_vectors": (vggish.EMBEDDING, vggish.EMBEDDING),
    "pca.means": (vggish.EMBEDDING,),
}
KINDS = {"kernel": "weights", "bias": "biases"}


def shapes() -> Shapes:
    """Of VGGish's variables and of its PCA."""
    return _network_shapes() | PCA_SHAPES


def read(checkpoint: Path, pca: Path) -> Arrays:
    """VGGish's variables and its PCA.

    Raises:
        WeightsError: a file is not what it should be.
    """
    params = _read_pca(pca)  # the smaller file first
    wanted = _network_shapes()
    places = {name: as_it_is(name_of(name), shape) for name, shape in wanted.items()}
    arrays = tensorflow_file.read_arrays(checkpoint, [place.name for place in places.values()])
    return take(checkpoint, arrays, places, wanted) | params


def name_of(name: str) -> str:
    """What the checkpoint calls one of our variables; the layers of a stage share a scope."""
    _, layer, kind = name.split(".")
    stage = re.sub(r"_\d$", "", layer)
    return "/".join(["vggish", *dict.fromkeys([stage, layer]), KINDS[kind]])


def _network_shapes() -> Shapes:
    return shapes_of(vggish.VGGish(), (1, vggish.FRAMES, vggish.NUM_MELS))


def _read_pca(path: Path) -> Arrays:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{path} is damaged, or not {FILES[1]}: {error}") from error
    means = PCA["pca.means"]
    if means in arrays:
        arrays[means] = arrays[means].reshape(-1)  # published as a column
    places = {ours: as_it_is(theirs, PCA_SHAPES[ours]) for ours, theirs in PCA.items()}
    return take(path, arrays, places, PCA_SHAPES)
