"""Reads the arrays of a TensorFlow checkpoint, of version 1 (one file) or 2 (a prefix of several).

The one place of this room that needs TensorFlow, which is imported when it is called.
"""

import os
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from baselines.errors import WeightsError


def read_arrays(path: Path, names: Collection[str]) -> dict[str, np.ndarray]:
    """Those of the named arrays that a checkpoint has.

    Args:
        path: the file of version 1; of version 2 the prefix, or the index.
        names: of variables; others, such as an optimiser's, are left where they are.

    Raises:
        WeightsError: the file is damaged, or no checkpoint.
    """
    tf = _tensorflow()
    try:
        reader = tf.train.load_checkpoint(str(path).removesuffix(".index"))
        there = reader.get_variable_to_shape_map()
        return {name: reader.get_tensor(name) for name in names if name in there}
    except (tf.errors.OpError, ValueError, RuntimeError) as error:
        said = str(error).splitlines()[0]
        raise WeightsError(f"{path} is damaged, or no TensorFlow checkpoint: {said}") from error


def _tensorflow() -> Any:
    """TensorFlow, without its notes on devices, which are none of the reader's business."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # It writes them to the descriptor itself, before it looks at its own log level.
    sys.stderr.flush()
    kept = os.dup(2)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        import tensorflow

        return tensorflow
    finally:
        os.dup2(kept, 2)
        os.close(kept)
