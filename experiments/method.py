"""What a method is: the pure functions that learn and score.

A batch is `{"x": (batch, frames, mels) float32 dB, "id": (batch,) int32}`; what learns more than
machine ids is given their targets in it too.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Array

from scoring.panels import Panel

Batch = Mapping[str, Array | np.ndarray]
Variables = dict[str, Any]


class Method(NamedTuple):
    """Whatever learns. Methods that share a `loss` can be trained together.

    Attributes:
        init: `(key, batch) -> variables`; its batch also holds `mean` and `std`, (mels,), over all
            training frames. `variables["params"]` is what the optimiser moves.
        loss: `(variables, key, batch) -> loss, (variables', metrics)`; None where nothing is
            learned by gradient.
        score: `(variables, batch) -> (batch,)`, higher is stranger.
        explain: `(variables, batch) -> (batch, frames, mels)`, how much each bin adds to the
            score, NaN where it is not scored.
        embed: `(variables, batch) -> (batch, dims)`, of methods whose scores rest on a fit.
        fit: `(embeddings, ids) -> more variables`, arrays, from the train windows once training is
            over; `score` and `explain` are given them with what was learned.
        illustrate: `(variables, images) -> scoring.panels.Panel, …`, what training does to the
            first of two images, (2, frames, mels) dB.
        sample: `(variables, key, batch, frames) -> (batch, frames, mels)` dB: the windows with some
            of their frames drawn anew, or with none named all that the density models. Only of
            densities whose last frame is modelled given all those before it.
        unit: what `explain` says of each bin.
    """

    init: Callable[..., Variables]
    loss: Callable[..., Any] | None
    score: Callable[..., Array]
    explain: Callable[..., Array]
    embed: Callable[..., Array] | None = None
    fit: Callable[[np.ndarray, np.ndarray], Variables] | None = None
    illustrate: Callable[..., list[Panel]] | None = None
    sample: Callable[..., Array] | None = None
    unit: str = "nats"
