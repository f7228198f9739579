"""What each output of a recurrent layer has heard."""

import jax
import numpy as np
import pytest

from sed.recurrent import GRU, BiGRU

EARLIER = np.tri(5, dtype=bool)


@pytest.mark.parametrize(
    ("layer", "heard"),
    [(GRU(3), EARLIER), (GRU(3, reverse=True), EARLIER.T), (BiGRU(3), np.ones((5, 5), bool))],
)
def test_outputs_have_heard_what_came_before_or_comes_after(layer, heard):
    x = jax.random.normal(jax.random.key(0), (1, 5, 2))
    variables = jax.jit(layer.init)(jax.random.key(1), x)
    slope = jax.jit(jax.jacrev(lambda x: layer.apply(variables, x)[0]))(x)
    assert ((np.abs(slope).sum((1, 2, 4)) > 0) == heard).all()


def test_shapes():
    x = jax.random.normal(jax.random.key(0), (2, 5, 3))
    for layer, width in ((GRU(4), 4), (BiGRU(4), 8)):
        made = jax.eval_shape(layer.init_with_output, jax.random.key(1), x)
        assert made[0].shape == (2, 5, width)
