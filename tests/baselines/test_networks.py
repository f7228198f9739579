"""The networks are TensorFlow's own layers, put together as published."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.traverse_util import unflatten_dict

from baselines import cnn14, vggish
from baselines.cnn14_file import place_of
from baselines.convolution import by_convolution, by_patches
from baselines.layout import Place, as_it_is, shapes_of, take
from baselines.vggish_file import name_of
from tests.baselines import oracle
from tests.baselines.checkpoints import panns_state, pca_arrays, vggish_arrays

RNG = np.random.default_rng(0)


def converted(model, example, arrays, place):
    """Variables of a smaller network from arrays as they are published."""
    shapes = shapes_of(model, example)
    places = {name: place(name, shape) for name, shape in shapes.items()}
    return unflatten_dict(take(Path("FILE"), arrays, places, shapes), sep=".")


def in_panns(name, shape) -> Place:
    return place_of(name)


def in_slim(name, shape) -> Place:
    return as_it_is(name_of(name), shape)


@pytest.mark.parametrize("frames", [32, 70])
def test_cnn14_is_tensorflows(frames):
    """Of few frames the last blocks are patches, of many all are convolutions."""
    log_mels = RNG.normal(0, 40, (3, 1, 64)) + RNG.normal(0, 5, (3, frames, 64))
    log_mels = log_mels.astype(np.float32)
    state = panns_state(first=4)
    variables = converted(cnn14.Cnn14(4), (1, 32, 64), state, in_panns)
    ours = jax.jit(cnn14.Cnn14(4).apply)(variables, log_mels)
    theirs = oracle.cnn14(state, log_mels)
    assert ours.shape == (3, 128)
    assert np.ptp(theirs, axis=0).max() > 0.1  # or clips would not matter
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


def test_vggish_is_tensorflows():
    patches = RNG.normal(-2, 1, (2, 96, 64)).astype(np.float32)
    arrays = vggish_arrays(hidden=16)
    model = vggish.VGGish(hidden=16)
    variables = converted(model, (1, 96, 64), arrays, in_slim)
    ours = jax.jit(model.apply)(variables, patches)
    theirs = oracle.vggish(arrays, patches)
    assert np.ptp(theirs, axis=0).max() > 0.1
    assert theirs.min() < -0.1  # not rectified
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


def test_whitened_and_quantised_as_released():
    pca = pca_arrays()
    embeddings = RNG.normal(size=(2, 5, 128)).astype(np.float32)
    means = pca["pca_means"][:, 0]
    variables = {"pca": {"eigen_vectors": pca["pca_eigen_vectors"], "means": means}}
    whitened = vggish.whiten(variables, jnp.asarray(embeddings))
    theirs = oracle.postprocessed(pca, embeddings.reshape(-1, 128)).reshape(2, 5, 128)
    assert (np.abs(whitened) > 2).any()
    levels = (np.clip(whitened, -2, 2) + 2) * (255 / 4)
    clear = np.abs(levels - np.round(levels)) > 1e-3  # not at the edge of a level
    assert clear.mean() > 0.5
    np.testing.assert_array_equal(vggish.quantise(whitened)[clear], theirs[clear])


def test_what_lies_beyond_two_is_at_the_ends():
    ours = vggish.quantise(jnp.full((1, 128), 2.5).at[0, 0].set(-7.0).at[0, 1].set(0.0))
    assert ours[0, :3].tolist() == [0, 127, 255]


@pytest.mark.parametrize("shape", [(1, 1), (2, 4), (5, 3)])
def test_patches_are_convolutions(shape):
    x = jnp.asarray(RNG.normal(size=(2, *shape, 3)).astype(np.float32))
    kernel = jnp.asarray(RNG.normal(size=(3, 3, 3, 5)).astype(np.float32))
    np.testing.assert_allclose(by_patches(x, kernel), by_convolution(x, kernel), atol=1e-5)


@pytest.mark.parametrize("module", [cnn14, vggish])
def test_the_shortest_clip(module):
    """Its log-mel is just enough for one embedding; a sample less is said to be too little."""
    shortest = module.log_mel(jnp.zeros((1, module.MIN_SAMPLES)))
    assert shortest.shape[1] == (32 if module is cnn14 else 96)
    with pytest.raises(ValueError, match=rf"{module.MIN_SAMPLES} samples.*{module.SAMPLE_RATE} Hz"):
        jax.eval_shape(module.embed, {}, jnp.zeros((1, module.MIN_SAMPLES - 1)))
