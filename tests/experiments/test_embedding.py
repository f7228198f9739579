"""Embeddings in place of log-mels: made, kept, and judged by their distance to their id's."""

import time

import jax.numpy as jnp
import numpy as np
import pytest
import soundfile
from sklearn.covariance import LedoitWolf

from audio.clips import DataError
from audio.embedder import Embedder
from configs import panns, vggish
from experiments import embedders
from experiments.errors import ConfigError, MissingSound, MissingWeights
from experiments.experiment import run
from experiments.methods import build
from scoring.costs import read_costs
from scoring.rows import read_scores

RNG = np.random.default_rng(0)


def embed(signal):
    """Three bands' levels of every half second: a network that is quickly run."""
    halves = signal[: len(signal) // 4000 * 4000].reshape(-1, 4000)
    if not len(halves):
        raise ValueError("is too short to embed")
    power = np.square(np.abs(np.fft.rfft(halves))).reshape(len(halves), -1)[:, :1998]
    return np.log10(power.reshape(len(halves), 3, -1).mean(-1) + 1e-6).astype(np.float32)


@pytest.fixture
def toy(monkeypatch):
    """The names of clips that are embedded, by a toy in place of Cnn14."""
    heard = []

    def spied(signal):
        heard.append(len(signal))
        return embed(signal)

    made = Embedder("toy", 8000, 3, spied)
    monkeypatch.setitem(embedders.NETWORKS, "cnn14", lambda *_: made)
    return heard


def write_sounds(root, num=6, rate=8000):
    for split, label in (("train", "normal"), ("test", "normal"), ("test", "anomaly")):
        folder = root / "pump" / split
        folder.mkdir(parents=True, exist_ok=True)
        for i in range(2 * num):
            noise = RNG.normal(0, 0.05, rate)
            noise += (0.3 if label == "anomaly" else 0) * np.sin(np.arange(rate) * 2.5)
            name = f"{label}_id_{i % 2:02d}_{i:08d}.wav"
            soundfile.write(folder / name, noise * (1 + i % 2), rate)
    return root


def config_for(root, tmp_path, module=panns):
    config = module.get_config()
    config.data.source, config.data.root = "folder", str(root)
    config.data.cache_dir = str(tmp_path / "cache")
    return config


def overall(workdir):
    return float((workdir / "results.csv").read_text().splitlines()[-1].split(",")[2])


@pytest.mark.parametrize("score", ["mahalanobis", "euclidean", "cosine"])
@pytest.mark.parametrize("pooled", [True, False])
def test_from_sound_to_a_report(tmp_path, toy, score, pooled):
    config = config_for(write_sounds(tmp_path / "clips"), tmp_path)
    config.model.score, config.embedding.pooled = score, pooled
    page = run(config, tmp_path / "run", time.monotonic()).read_text()
    assert overall(tmp_path / "run") > 0.95
    assert "data:audio" in page
    assert len(toy) == 36


def test_embedding_counts_as_scoring_in_the_run_that_does_it(tmp_path, toy):
    config = config_for(write_sounds(tmp_path / "clips"), tmp_path)
    for name in ("fresh", "kept"):
        run(config, tmp_path / name, time.monotonic())
    fresh, kept = (read_costs(tmp_path / name / "costs.csv")[0] for name in ("fresh", "kept"))
    # Clips of a second; the first compiles, and is not timed.
    assert fresh.hours_scored == pytest.approx(35 / 3600)
    assert fresh.score_seconds_per_hour > 0
    assert kept.hours_scored == 0 and kept.score_seconds_per_hour is None


def test_embeddings_are_kept_by_what_made_them(tmp_path, toy, monkeypatch):
    config = config_for(write_sounds(tmp_path / "clips"), tmp_path)
    run(config, tmp_path / "one", time.monotonic())
    run(config, tmp_path / "two", time.monotonic())
    assert len(toy) == 36
    made = embedders.NETWORKS["cnn14"]()._replace(identity="another")
    monkeypatch.setitem(embedders.NETWORKS, "cnn14", lambda *_: made)
    run(config, tmp_path / "three", time.monotonic())
    assert len(toy) == 2 * 36


def test_a_tflite_model_embeds(tmp_path):
    pytest.importorskip("ai_edge_litert")
    import tensorflow as tf

    module = tf.Module()
    module.f = tf.function(
        lambda x: tf.math.log(tf.reduce_mean(tf.reshape(x**2, [4, 500]), axis=1) + 1e-6),
        input_signature=[tf.TensorSpec([2000], tf.float32)],
    )
    concrete = [module.f.get_concrete_function()]
    path = tmp_path / "levels.tflite"
    path.write_bytes(tf.lite.TFLiteConverter.from_concrete_functions(concrete, module).convert())
    config = config_for(write_sounds(tmp_path / "clips"), tmp_path)
    config.embedding.network, config.embedding.weights = "tflite", str(path)
    config.embedding.sample_rate, config.embedding.pooled = 8000, False
    run(config, tmp_path / "run", time.monotonic())
    assert overall(tmp_path / "run") > 0.95
    assert embedded(config).shape == (12 * 4, 4)  # a second is four pieces of 2000 samples


def write_embeddings(root, dims=5):
    """As from other software: one vector a clip."""
    for split, label, mean in (
        ("train", "normal", 0),
        ("test", "normal", 0),
        ("test", "anomaly", 3),
    ):
        folder = root / "pump" / split
        folder.mkdir(parents=True, exist_ok=True)
        for i in range(20):
            vector = RNG.normal(mean, 1, dims) @ np.diag(np.arange(1, dims + 1))
            np.save(folder / f"{label}_id_{i % 2:02d}_{i:08d}.npy", vector.astype(np.float32))
    return root


def test_ready_embeddings_are_judged_as_scikit_learn_would(tmp_path):
    root = write_embeddings(tmp_path / "clips")
    config = config_for(root, tmp_path)
    config.embedding.network = "npy"
    run(config, tmp_path / "run", time.monotonic())
    rows = {
        row.name: row for row in read_scores(tmp_path / "run" / "scores.csv") if row.split == "test"
    }
    assert len(rows) == 40

    def vectors(pattern):
        return {path.name: np.load(path) for path in sorted(root.glob(f"pump/{pattern}"))}

    for unit in ("00", "01"):
        gaussian = LedoitWolf().fit(np.stack([*vectors(f"train/*id_{unit}*").values()]))
        test = vectors(f"test/*id_{unit}*")
        expected = np.sqrt(gaussian.mahalanobis(np.stack([*test.values()])))
        scores = [rows[name].score for name in test]
        np.testing.assert_allclose(scores, expected, rtol=1e-4)


def test_a_clip_of_several_embeddings_may_be_its_mean(tmp_path):
    root = write_embeddings(tmp_path / "clips")
    for path in root.rglob("*.npy"):
        vector = np.load(path)
        np.save(path, np.stack([vector - 1, vector + 1]))
    pooled, every = (config_for(root, tmp_path) for _ in range(2))
    pooled.embedding.network = every.embedding.network = "npy"
    every.embedding.pooled = False
    counts = [len(embedded(each)) for each in (pooled, every)]
    assert counts == [20, 40]


def embedded(config):
    from experiments.data import load_data

    return load_data(config).machines[0].train.mine.frames


def test_distances_are_to_the_mean_of_the_clips_own_id():
    fitted_to = RNG.normal(size=(40, 3)).astype(np.float32)
    ids = np.arange(40) % 2
    fitted_to[ids == 1] += 10
    x = jnp.asarray(RNG.normal(size=(4, 1, 3)), jnp.float32)
    means = np.stack([fitted_to[ids == i].mean(0) for i in (0, 1)])
    batch = {"x": x, "id": jnp.array([0, 1, 0, 1])}
    mean = means[batch["id"]]
    expected = {
        "euclidean": np.linalg.norm(x[:, 0] - mean, axis=1),
        "cosine": 1
        - (x[:, 0] * mean).sum(1) / np.linalg.norm(x[:, 0], axis=1) / np.linalg.norm(mean, axis=1),
    }
    for name, values in expected.items():
        config = panns.get_config()
        config.model.score = name
        method = build(config, 2)
        fitted = method.fit(fitted_to, ids)
        np.testing.assert_allclose(method.score(fitted, batch), values, rtol=1e-4)


@pytest.mark.parametrize("module", [panns, vggish])
def test_missing_weights_are_one_line_that_says_what_and_where(tmp_path, module):
    config = config_for(write_sounds(tmp_path / "clips", 1), tmp_path, module)
    with pytest.raises(MissingWeights, match="no weights of") as raised:
        run(config, tmp_path / "run", time.monotonic())
    said = str(raised.value)
    assert "\n" not in said and str(tmp_path / "cache" / "weights") in said
    assert not (tmp_path / "run").exists()


def test_ready_log_mels_are_no_sound(tmp_path, clips, toy):
    with pytest.raises(MissingSound, match="cnn14 hears sound, and these clips are ready log-mels"):
        run(config_for(clips, tmp_path), tmp_path / "run", time.monotonic())


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("embedding.network", "yamnet", "use cnn14, vggish, tflite, npy"),
        ("embedding.network", "tflite", "needs --config.embedding.weights=FILE.tflite"),
        ("embedding.network", "npy", "there is no .npy file"),
        ("model.score", "manhattan", "use mahalanobis, euclidean, cosine"),
        ("data.rehearsal", 0.2, "data.rehearsal"),
    ],
)
def test_what_cannot_be_had_is_named(tmp_path, toy, key, value, said):
    config = config_for(write_sounds(tmp_path / "clips", 1), tmp_path)
    config.update_from_flattened_dict({key: value})
    with pytest.raises(ConfigError, match=said):
        run(config, tmp_path / "run", time.monotonic())


def test_clips_that_cannot_be_embedded_are_named_together(tmp_path, toy):
    root = write_sounds(tmp_path / "clips")
    soundfile.write(root / "pump" / "train" / "normal_id_00_00000000.wav", np.zeros(100), 8000)
    np.save(root / "pump" / "train" / "normal_id_00_00000099.npy", np.zeros((4, 2), np.float32))
    with pytest.raises(DataError, match=r"2 bad clips: .*is too short to embed.*\(4, 2\)"):
        run(config_for(root, tmp_path), tmp_path / "run", time.monotonic())
