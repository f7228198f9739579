"""Models of TensorFlow's own making are run as TensorFlow runs them."""

import numpy as np
import pytest
import tensorflow as tf

from baselines import tflite
from baselines.errors import WeightsError

pytest.importorskip("ai_edge_litert")

WEIGHTS = np.random.default_rng(0).normal(size=(100, 8)).astype(np.float32)
SOUND = np.random.default_rng(1).normal(size=(2, 250)).astype(np.float32)


def convert(path, function, *shape, dtype=tf.float32):
    """A function of one tensor, as a model file."""
    module = tf.Module()
    module.f = tf.function(function, input_signature=[tf.TensorSpec(shape, dtype)])
    concrete = module.f.get_concrete_function()
    model = tf.lite.TFLiteConverter.from_concrete_functions([concrete], module).convert()
    path.write_bytes(model)
    return path


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A folder of models, converted once."""
    folder = tmp_path_factory.mktemp("tflite")

    def whole(x):
        return {"embedding": tf.tensordot(x, WEIGHTS, 1), "score": tf.reduce_sum(x)[None]}

    convert(folder / "fixed.tflite", whole, 100)
    convert(folder / "free.tflite", lambda x: tf.reshape(x[0], [-1, 50]) @ WEIGHTS[:50], 1, None)
    convert(folder / "image.tflite", tf.reduce_sum, 1, 10, 10)
    convert(folder / "pixels.tflite", lambda x: x[None], 100, dtype=tf.int32)
    convert(folder / "deep.tflite", lambda x: tf.reshape(x, [1, 10, 10]), 100)
    return folder


def test_a_clip_is_heard_in_pieces(models):
    model = tflite.load(models / "fixed.tflite", "embedding")
    assert model.samples == 100
    ours = tflite.embed(model, SOUND)
    theirs = SOUND[:, :200].reshape(2, 2, 100) @ WEIGHTS
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


def test_a_model_for_clips_of_any_length_hears_them_whole(models):
    model = tflite.load(models / "free.tflite")
    assert model.samples is None
    for length in (250, 100):
        ours = tflite.embed(model, SOUND[:, :length])
        theirs = SOUND[:, :length].reshape(2, -1, 50) @ WEIGHTS[:50]
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


def test_float64_is_heard_as_float32(models):
    model = tflite.load(models / "free.tflite")
    ours = tflite.embed(model, SOUND.astype(np.float64))
    np.testing.assert_array_equal(ours, tflite.embed(model, SOUND))


def test_what_is_no_such_model_is_said(models, tmp_path):
    with pytest.raises(WeightsError, match=r"embedding \[8\] float32, score \[1\].*name the one"):
        tflite.load(models / "fixed.tflite")
    with pytest.raises(WeightsError, match="name the one"):
        tflite.load(models / "fixed.tflite", "embeding")
    with pytest.raises(WeightsError, match=r"\[1 10 10\] float32: it should take one float32"):
        tflite.load(models / "image.tflite")
    with pytest.raises(WeightsError, match=r"\[100\] int32: it should take one float32"):
        tflite.load(models / "pixels.tflite")
    with pytest.raises(WeightsError, match=r"none\.tflite: no such file"):
        tflite.load(tmp_path / "none.tflite")
    (tmp_path / "cut.tflite").write_bytes((models / "fixed.tflite").read_bytes()[:1000])
    with pytest.raises(WeightsError, match=r"cut\.tflite is no TensorFlow Lite model"):
        tflite.load(tmp_path / "cut.tflite")


def test_what_does_not_fit_is_said(models):
    model = tflite.load(models / "fixed.tflite", "embedding")
    with pytest.raises(ValueError, match="hears clips of 100 samples or more; these have 99"):
        tflite.embed(model, SOUND[:, :99])
    model = tflite.load(models / "free.tflite")
    with pytest.raises(ValueError, match="1 samples or more; these have 0"):
        tflite.embed(model, SOUND[:, :0])
    with pytest.raises(WeightsError, match=r"free\.tflite fails on 120 samples"):
        tflite.embed(model, SOUND[:, :120])
    model = tflite.load(models / "deep.tflite")
    with pytest.raises(WeightsError, match=r"\(1, 10, 10\) is no embedding"):
        tflite.embed(model, SOUND)
