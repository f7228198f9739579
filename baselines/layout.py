"""How arrays lie in somebody's file, and how they become this room's variables.

Variables are kept flat, under names such as `params.fc1.kernel`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import numpy as np
from flax.traverse_util import flatten_dict

from baselines.errors import WeightsError

Arrays = dict[str, np.ndarray]
Shape = tuple[int, ...]
Shapes = dict[str, Shape]


class Place(NamedTuple):
    """Where an array lies in a file.

    Attributes:
        name: its name there.
        axes: which of its axes become ours, in our order.
    """

    name: str
    axes: tuple[int, ...]


def shapes_of(model: nn.Module, example: Shape) -> Shapes:
    """The names and shapes of a network's variables, from the shape of an input."""
    inputs = jax.ShapeDtypeStruct(example, np.float32)
    variables: Any = jax.eval_shape(model.init, jax.random.key(0), inputs)
    leaves: Any = flatten_dict(variables, sep=".")
    return {name: leaf.shape for name, leaf in leaves.items()}


def take(
    path: Path, arrays: Mapping[str, Any], places: Mapping[str, Place], shapes: Shapes
) -> Arrays:
    """Our arrays, float32, from where they lie in a file.

    Args:
        path: the file.
        arrays: what is in it; what has no place is left there.
        places: of all our arrays.
        shapes: ours; those of other names do not matter.

    Raises:
        WeightsError: an array is not there, or has another shape.
    """
    absent = [place.name for place in places.values() if place.name not in arrays]
    if absent:
        raise WeightsError(f"{path} lacks {some(absent)}: it is another network's")
    taken = {}
    for ours, (theirs, axes) in places.items():
        array = np.asarray(arrays[theirs])
        wanted = tuple(shapes[ours][axes.index(i)] for i in range(len(axes)))
        if array.shape != wanted:
            raise WeightsError(f"{path}: {theirs} is {array.shape} and should be {wanted}")
        taken[ours] = np.ascontiguousarray(array.transpose(axes), np.float32)
    return taken


def as_it_is(name: str, shape: Shape) -> Place:
    """The place of an array whose axes are ours."""
    return Place(name, tuple(range(len(shape))))


def some(names: Sequence[str]) -> str:
    """The first of some names, and how many more there are."""
    return names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else "")
