"""Cnn14's weights as PANNs published them: a PyTorch checkpoint."""

from collections.abc import Mapping
from pathlib import Path

from baselines import cnn14, torch_file
from baselines.errors import WeightsError
from baselines.layout import Arrays, Place, Shapes, shapes_of, take

FILES = ("Cnn14_mAP=0.431.pth",)
RECORD = "Zenodo record 3987831 (https://zenodo.org/records/3987831)"
KINDS = {"scale": "weight", "bias": "bias", "mean": "running_mean", "var": "running_var"}
# The networks for other rates have the same layers; their mel filters tell them apart.
FILTERS = {"filters": Place("logmel_extractor.melW", (0, 1))}
FILTERS_SHAPE = {"filters": (cnn14.WINDOW // 2 + 1, cnn14.NUM_MELS)}


def shapes() -> Shapes:
    """Of Cnn14's variables."""
    return shapes_of(cnn14.Cnn14(), (1, 2**cnn14.HALVINGS, cnn14.NUM_MELS))


def read(path: Path) -> Arrays:
    """Cnn14's variables.

    Raises:
        WeightsError: the file is not what it should be.
    """
    saved = torch_file.read_checkpoint(path)
    arrays = saved.get("model") if isinstance(saved, Mapping) else None
    if not isinstance(arrays, Mapping):
        raise WeightsError(f"{path} has no 'model': it is not PANNs' {FILES[0]}")
    take(path, arrays, FILTERS, FILTERS_SHAPE)
    return take(path, arrays, {name: place_of(name) for name in shapes()}, shapes())


def place_of(name: str) -> Place:
    """Where the checkpoint has one of our variables."""
    *layers, kind = name.split(".")[1:]
    if kind == "kernel":
        # PyTorch's are (out, in) and (out, in, height, width).
        axes = (1, 0) if layers == ["fc1"] else (2, 3, 1, 0)
        return Place(".".join([*layers, "weight"]), axes)
    return Place(".".join([*layers, KINDS[kind]]), (0,))
