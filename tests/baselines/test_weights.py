"""Published files become variables, whole or not at all."""

import os

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from baselines import cnn14, vggish, weights
from baselines.convert import main
from baselines.errors import WeightsError
from baselines.weights import load_weights
from tests.baselines import oracle
from tests.baselines.checkpoints import (
    panns_state,
    pca_arrays,
    vggish_arrays,
    write_old,
    write_vggish,
    write_zip,
)

RNG = np.random.default_rng(0)
PANNS = "Cnn14_mAP=0.431.pth"


@pytest.fixture(scope="module")
def panns(folder):
    """PANNs' file at random, and what is in it."""
    state = panns_state()
    return write_old(folder / PANNS, {"iteration": 1, "model": state}), state


@pytest.fixture(scope="module")
def audioset(folder):
    """VGGish's files at random, and what is in them."""
    arrays, pca = vggish_arrays(), pca_arrays()
    extra = {"global_step": np.array(1)}
    return *write_vggish(folder, arrays | extra, pca), arrays, pca


def error_of(capsys, *argv):
    """The one line that the command ends in."""
    assert main([str(each) for each in argv]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def sounds(samples):
    """Noise, and a tone that fades away."""
    time = np.arange(samples)
    tone = np.sin(0.1 * time) * np.exp(-5 * time / samples)
    return np.stack([0.1 * RNG.normal(size=samples), tone]).astype(np.float32)


def test_cnn14_from_pannss_file(panns, folder, capsys):
    """The command converts; what is loaded embeds as the file's own numbers do."""
    path, state = panns
    assert main([str(path), "--out", str(folder / "out")]) == 0
    said = capsys.readouterr().out
    assert "cnn14.safetensors (66 arrays, 319 MB)" in said
    variables = load_weights("cnn14", folder=folder / "out")
    sound = sounds(cnn14.MIN_SAMPLES)
    ours = jax.jit(cnn14.embed)(variables, sound)
    theirs = oracle.cnn14(state, np.asarray(cnn14.log_mel(jnp.asarray(sound))))
    assert ours.shape == (2, 2048)
    assert np.ptp(theirs, axis=0).max() > 0.1
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


def test_vggish_from_audiosets_files(audioset, folder):
    """They lie in the folder, and are converted once."""
    arrays, pca = audioset[2:]
    load_weights("vggish", folder=folder)
    kept = folder / "vggish.safetensors"
    os.utime(kept, (0, 0))
    variables = load_weights("vggish", folder=folder)
    assert kept.stat().st_mtime == 0
    sound = sounds(2 * vggish.MIN_SAMPLES)
    ours = jax.jit(vggish.embed)(variables, sound)
    patches = np.asarray(vggish.cut(vggish.log_mel(jnp.asarray(sound))))
    theirs = oracle.vggish(arrays, patches.reshape(-1, 96, 64))
    assert ours.shape == (2, 2, 128)
    assert np.ptp(theirs, axis=0).max() > 0.1
    np.testing.assert_allclose(ours.reshape(-1, 128), theirs, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(variables["pca"]["means"], pca["pca_means"][:, 0])
    np.testing.assert_array_equal(variables["pca"]["eigen_vectors"], pca["pca_eigen_vectors"])


def test_a_published_file_is_read_wherever_it_lies(panns, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    path, state = panns
    variables = load_weights("cnn14", path)
    np.testing.assert_array_equal(variables["params"]["fc1"]["kernel"], state["fc1.weight"].T)
    assert not any(tmp_path.iterdir())


def test_where_there_are_none_one_line_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(WeightsError) as raised:
        load_weights("cnn14")
    said = str(raised.value)
    assert "\n" not in said
    for part in (PANNS, "3987831", str(tmp_path / "gmade/weights"), "python -m baselines.convert"):
        assert part in said
    with pytest.raises(WeightsError) as raised:
        load_weights("vggish")
    for part in ("vggish_model.ckpt and vggish_pca_params.npz", "storage.googleapis.com/audioset"):
        assert part in str(raised.value)
    with pytest.raises(WeightsError, match=r"no network 'cnn10'.*cnn14, vggish"):
        load_weights("cnn10")


def test_half_of_vggish_is_not_enough(tmp_path, capsys):
    checkpoint, pca = write_vggish(tmp_path, {"x": np.zeros(1)}, pca_arrays())
    pca.unlink()
    said = error_of(capsys, checkpoint)
    assert "download vggish_pca_params.npz from AudioSet's storage" in said
    assert "vggish_model.ckpt from" not in said


def test_a_checkpoint_of_version_2_is_read(tmp_path, capsys):
    checkpoint, _ = write_vggish(tmp_path, {"vggish/conv1/weights": np.zeros(1)}, pca_arrays(), 2)
    assert not checkpoint.exists()
    for path in (checkpoint, f"{checkpoint}.index"):
        assert "lacks vggish/conv1/biases and 16 more" in error_of(capsys, path)


def write_pth(tmp_path, changes, **others):
    """A small file that has PANNs' names, and a few things wrong."""
    state = panns_state(first=1) | changes
    return write_zip(tmp_path / PANNS, {"model": state, **others})


def test_what_is_off_is_said(tmp_path, capsys):
    other_rate = {"logmel_extractor.melW": np.zeros((257, 64), np.float32)}
    said = error_of(capsys, write_pth(tmp_path, other_rate))
    assert "logmel_extractor.melW is (257, 64) and should be (513, 64)" in said
    said = error_of(capsys, write_pth(tmp_path, {}))
    assert "conv_block1.bn1.running_mean is (1,) and should be (64,)" in said
    said = error_of(capsys, write_zip(tmp_path / PANNS, {"state_dict": {}}))
    assert f"has no 'model': it is not PANNs' {PANNS}" in said
    state = {"logmel_extractor.melW": np.zeros((513, 64), np.float32)}
    said = error_of(capsys, write_zip(tmp_path / PANNS, {"model": state}))
    assert "lacks bn0.running_mean and 65 more" in said


def test_what_is_off_in_the_pca_is_said(audioset, tmp_path, capsys):
    pca = tmp_path / "pca.npz"
    np.savez(pca, pca_eigen_vectors=np.zeros((128, 64)), pca_means=np.zeros(128))
    said = error_of(capsys, audioset[0], pca)
    assert "pca_eigen_vectors is (128, 64) and should be (128, 128)" in said
    evil = np.array([print], dtype=object)
    np.savez(pca, pca_eigen_vectors=evil, pca_means=np.zeros(128))
    assert "damaged" in error_of(capsys, audioset[0], pca)


def test_files_that_are_none_of_these(tmp_path, panns, capsys):
    (tmp_path / "notes.txt").write_text("hello")
    assert "notes.txt is none of" in error_of(capsys, tmp_path / "notes.txt")
    assert "nowhere.pth: no such file" in error_of(capsys, tmp_path / "nowhere.pth")
    assert "are both" in error_of(capsys, panns[0], panns[0])
    table = tmp_path / "table.ckpt"
    table.write_bytes(b"x" * 100 + bytes.fromhex("57fb808b247547db"))
    assert "table.ckpt is damaged" in error_of(capsys, table, _pca(tmp_path))
    with pytest.raises(WeightsError, match="is PANNs' Cnn14, not vggish's"):
        load_weights("vggish", panns[0])


def _pca(tmp_path):
    np.savez(tmp_path / "pca.npz", **pca_arrays())
    return tmp_path / "pca.npz"


def test_a_converted_file_that_is_not_whole(tmp_path):
    path = tmp_path / "cnn14.safetensors"
    path.write_bytes(b"\x10\0\0\0\0\0\0\0half")
    with pytest.raises(WeightsError, match=r"cnn14\.safetensors cannot be read.*convert it again"):
        load_weights("cnn14", folder=tmp_path)
    weights.save(path, {"params.fc1.bias": np.zeros(3, np.float32)})
    with pytest.raises(WeightsError, match=r"lacks .* and 64 more"):
        load_weights("cnn14", path)


def test_a_conversion_that_fails_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "cnn14.safetensors"
    weights.save(path, {"x": np.zeros(3, np.float32)})
    before = path.read_bytes()

    def fail(arrays, partial):
        partial.write_bytes(b"half")
        raise OSError("no space left")

    monkeypatch.setattr(weights, "save_file", fail)
    with pytest.raises(WeightsError, match="cannot be written: no space left"):
        weights.save(path, {"x": np.ones(3, np.float32)})
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == before


def test_help_says_where_the_files_are(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    for part in ("zenodo.org/records/3987831", "vggish_pca_params.npz", "--out"):
        assert part in said
