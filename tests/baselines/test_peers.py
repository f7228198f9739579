"""The networks are those of the PyPI packages, with weights at random in the published formats.

Runs where the packages are: pip install -e ".[bench]".
"""

import warnings
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from baselines import cnn14, vggish
from baselines.torch_file import read_checkpoint
from baselines.weights import load_weights
from tests.baselines.checkpoints import (
    panns_state,
    pca_arrays,
    vggish_arrays,
    write_old,
    write_vggish,
    write_zip,
)

torch = pytest.importorskip("torch")
pytest.importorskip("panns_inference")
pytest.importorskip("torchvggish")


@pytest.fixture(scope="module")
def panns(folder):
    """Their module of networks; importing it looks for a file in the home directory."""
    labels = folder / "panns_data" / "class_labels_indices.csv"
    labels.parent.mkdir()
    labels.write_text("index,mid,display_name\n0,/m/09x0r,Speech\n")
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setenv("HOME", str(folder))
        from panns_inference import models
    return models


def sounds(rate, seconds):
    """Noise, and a tone that fades away over less of it.

    A tone alone would leave bands 80 dB below it, which hold nothing but rounding.
    """
    time = np.arange(int(rate * seconds)) / rate
    noise = np.random.default_rng(0).normal(size=len(time))
    tone = np.sin(2 * np.pi * 440 * time) * np.exp(-5 * time)
    return np.stack([0.1 * noise, tone + 1e-3 * noise]).astype(np.float32)


def assert_same(ours, theirs, name):
    """They are equal, and worth comparing; `pytest -s` shows by how much they differ."""
    assert np.ptp(theirs, axis=0).max() > 0.1
    print(f"{name}: {np.abs(np.asarray(ours) - theirs).max():.1e} of {np.abs(theirs).max():.3g}")
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("old", [True, False])
def test_cnn14_is_panns_inferences(panns, folder, old):
    """Their network's weights, saved by PyTorch; the log-mel once more by itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = panns.Cnn14(32000, 1024, 320, 64, 50, 14000, 527).eval()
    state = {name: torch.from_numpy(np.asarray(x)) for name, x in panns_state().items()}
    state["logmel_extractor.melW"] = theirs.state_dict()["logmel_extractor.melW"]
    theirs.load_state_dict(state, strict=False)
    path = folder / "Cnn14_mAP=0.431.pth"
    saved = {"iteration": 1, "model": theirs.state_dict(), "sampler": {"indexes": np.arange(5)}}
    torch.save(saved, path, _use_new_zipfile_serialization=not old)
    variables = load_weights("cnn14", path)
    sound = sounds(cnn14.SAMPLE_RATE, 1.0)
    with torch.no_grad():
        spectrogram = theirs.spectrogram_extractor(torch.from_numpy(sound))
        log_mel = theirs.logmel_extractor(spectrogram)[:, 0].numpy()
        embedding = theirs(torch.from_numpy(sound))["embedding"].numpy()
    ours = jax.jit(cnn14.log_mel)(sound)
    assert_same(ours, log_mel, "log-mel")
    assert_same(jax.jit(cnn14.embed)(variables, sound), embedding, "embedding")


@pytest.fixture(scope="module")
def torchvggish():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torchvggish import torchvggish, vggish_input
    return SimpleNamespace(network=torchvggish, input=vggish_input)


@pytest.fixture(scope="module")
def audioset(folder):
    """Weights and PCA as arrays, and our variables of them."""
    arrays, pca = vggish_arrays(), pca_arrays()
    write_vggish(folder, arrays, pca)
    return arrays, pca, load_weights("vggish", folder / "vggish_model.ckpt")


def test_vggish_is_torchvggishs(torchvggish, audioset):
    """Theirs is rectified at its end, as the network was at first."""
    arrays, _, variables = audioset
    theirs = torchvggish.network._vgg()
    layers = [
        layer
        for layer in [*theirs.features, *theirs.embeddings]
        if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear)
    ]
    names = [name.removesuffix("/weights") for name in arrays if name.endswith("weights")]
    for name, layer in zip(names, layers, strict=True):
        kernel = arrays[f"{name}/weights"]
        axes = (3, 2, 0, 1) if kernel.ndim == 4 else (1, 0)
        layer.weight.data = torch.from_numpy(kernel.transpose(axes).copy())
        layer.bias.data = torch.from_numpy(arrays[f"{name}/biases"])
    (sound,) = sounds(vggish.SAMPLE_RATE, 2.5)[1:]
    examples = torchvggish.input.waveform_to_examples(sound, vggish.SAMPLE_RATE)
    patches = vggish.cut(jax.jit(vggish.log_mel)(sound[None]))[0]
    assert_same(patches, examples.detach().numpy()[:, 0], "log-mel")
    with torch.no_grad():
        embedding = theirs(examples).numpy()
    (ours,) = jax.jit(vggish.embed)(variables, sound[None])
    assert (ours < -0.1).any()
    assert_same(np.maximum(ours, 0), embedding, "embedding")


def test_the_pca_is_torchvggishs(torchvggish, audioset, monkeypatch):
    """Theirs rounds to the nearest level where the original cuts off."""
    _, pca, variables = audioset
    monkeypatch.setattr(torchvggish.network.hub, "load_state_dict_from_url", lambda *_: pca)
    monkeypatch.setattr(torch, "round", lambda x: x)
    embeddings = np.random.default_rng(0).normal(size=(20, 128)).astype(np.float32)
    theirs = torchvggish.network.Postprocessor().postprocess(torch.from_numpy(embeddings)).numpy()
    whitened = vggish.whiten(variables, jnp.asarray(embeddings))
    levels = (np.clip(whitened, -2, 2) + 2) * (255 / 4)
    assert_same(levels / 255, theirs / 255, "levels")
    below = theirs - np.asarray(vggish.quantise(whitened), np.float32)
    assert -1e-3 < below.min() <= below.max() < 1


@pytest.mark.parametrize("write", [write_old, write_zip])
def test_checkpoints_written_without_pytorch_are_pytorchs(write, tmp_path):
    """Both ways: PyTorch reads what the other tests read."""
    numbers = np.arange(6, dtype=np.float32).reshape(2, 3)
    path = write(tmp_path / "c.pth", {"model": {"x": numbers, "n": np.array(7)}})
    theirs = torch.load(path, weights_only=True)["model"]
    np.testing.assert_array_equal(theirs["x"].numpy(), numbers)
    assert theirs["n"].item() == 7
    ours = read_checkpoint(path)["model"]
    np.testing.assert_array_equal(ours["x"], numbers)
