from functools import partial

import jax
import numpy as np
import pytest

from experiments.errors import ConfigError
from experiments.methods import build

quick_jit = partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})
KEY = jax.random.key(0)
RNG = np.random.default_rng(0)
X = RNG.normal(-30, 5, (6, 5, 128)).astype(np.float32)
BATCH = {"x": X, "id": np.zeros(6, np.int32)}
MOMENTS = {
    "mean": np.full(128, -30, np.float32),
    "std": np.full(128, 5, np.float32),
    "window_mean": np.linspace(-40, -20, 5 * 128).astype(np.float32).reshape(5, 128),
    "window_std": np.full((5, 128), 4, np.float32),
}
CONFIGS = ["autoencoder", "idnn", "vidnn", "fc_autoencoder", "fc_encoder", "fc_vae", "conv_vae"]


def method_of(tiny, name, **model):
    config = tiny(name)
    config.window.num_frames = 5
    config.model.update(model)
    method = build(config, 2)
    variables = quick_jit(method.init)(KEY, {**BATCH, **MOMENTS})
    if method.fit:
        embeddings = np.asarray(quick_jit(method.embed)(variables, BATCH))
        variables = {**variables, **method.fit(embeddings, BATCH["id"])}
    return method, variables


@pytest.mark.parametrize("name", CONFIGS)
def test_every_config_learns_and_scores(tiny, name):
    method, variables = method_of(tiny, name)
    value_and_grad = jax.value_and_grad(
        lambda params: method.loss({**variables, "params": params}, KEY, BATCH), has_aux=True
    )
    (loss, (after, metrics)), grads = quick_jit(value_and_grad)(variables["params"])
    assert np.isfinite(loss) and metrics["loss"] == loss
    assert all(np.abs(leaf).max() > 0 for leaf in jax.tree.leaves(grads)[-2:])
    assert jax.tree.structure(after) == jax.tree.structure(variables)
    score = quick_jit(method.score)(variables, BATCH)
    assert score.shape == (6,) and (score > 0).all()


@pytest.mark.parametrize("name", ["autoencoder", "idnn", "fc_autoencoder", "conv_vae"])
def test_a_score_is_the_mean_error_of_the_bins_that_are_predicted(tiny, name):
    method, variables = method_of(tiny, name)
    errors = np.asarray(quick_jit(method.explain)(variables, BATCH))
    predicted = [2] if name == "idnn" else range(5)
    assert [i for i in range(5) if not np.isnan(errors[:, i]).any()] == list(predicted)
    score = quick_jit(method.score)(variables, BATCH)
    np.testing.assert_allclose(np.nanmean(errors, (1, 2)), score, rtol=1e-5)


def test_the_frame_that_is_predicted_is_not_seen(tiny):
    """Its squared error is a parabola in it, of curvature 2, only if the prediction stays."""
    method, variables = method_of(tiny, "idnn")
    explain = quick_jit(method.explain)
    std_away = np.zeros((5, 1), np.float32)
    std_away[2] = 5
    below, here, above = (
        explain(variables, {**BATCH, "x": X + times * std_away})[:, 2] for times in (-1, 0, 1)
    )
    np.testing.assert_allclose(below - 2 * here + above, 2, atol=1e-3)


def test_a_variational_loss_adds_beta_times_the_divergence(tiny):
    (one, variables), (other, _) = (method_of(tiny, "vidnn", beta=beta) for beta in (0.0, 64.0))
    losses = [quick_jit(m.loss)(variables, KEY, BATCH) for m in (one, other)]
    assert losses[0][1][1]["error"] == losses[1][1][1]["error"] == losses[0][0]
    elbo, _ = method_of(tiny, "vidnn", beta=64.0, score="elbo")
    scores = [quick_jit(method.score)(variables, BATCH) for method in (one, elbo)]
    divergence = scores[1] - scores[0]
    assert (divergence > 0).all()
    assert losses[1][0] > losses[0][0]


def test_an_embeddings_score_is_its_squared_distance_from_the_mean(tiny):
    method, variables = method_of(tiny, "fc_encoder")
    embeddings = np.asarray(quick_jit(method.embed)(variables, BATCH))
    expected = np.square(embeddings - embeddings.mean(0)).mean(1)
    np.testing.assert_allclose(quick_jit(method.score)(variables, BATCH), expected, rtol=1e-4)


@pytest.mark.parametrize(("standardise", "own"), [("bin", ""), ("feature", "window_")])
def test_inputs_are_standardised(tiny, standardise, own):
    method, variables = method_of(tiny, "fc_autoencoder", standardise=standardise)
    mean, std = MOMENTS[f"{own}mean"], MOMENTS[f"{own}std"]
    plain, _ = method_of(tiny, "fc_autoencoder", standardise="none")
    without = {**variables, "moments": {"mean": np.zeros(()), "std": np.ones(())}}
    z = (X - mean) / std
    np.testing.assert_allclose(
        quick_jit(method.score)(variables, BATCH),
        quick_jit(plain.score)(without, {**BATCH, "x": z.astype(np.float32)}),
        rtol=1e-4,
    )


@pytest.mark.parametrize(
    ("name", "model", "said"),
    [
        ("autoencoder", dict(network="recurrent"), "model.network='recurrent' is not known"),
        ("autoencoder", dict(standardise="clip"), "use none, bin, feature"),
        ("autoencoder", dict(score="likelihood"), "use error, elbo, embedding"),
        ("autoencoder", dict(score="elbo"), "needs model.variational=True"),
        ("autoencoder", dict(latent=0), "model.latent 1 or more"),
        ("autoencoder", dict(hidden=()), "model.hidden must be"),
        ("vidnn", dict(beta=-1.0), "model.beta=-1.0"),
        ("vidnn", dict(rectify_code=True), "model.rectify_code"),
        ("conv_vae", dict(batch_norm=True), "model.network=dense"),
        ("idnn", dict(targets=(5,)), r"model.targets=\(5,\) must be frames of a window, 0 to 4"),
        ("idnn", dict(targets=(2, 2)), "model.targets"),
        ("idnn", dict(targets=(0, 1, 2, 3, 4)), "leave no frame"),
    ],
)
def test_a_setting_that_makes_no_autoencoder_is_named(tiny, name, model, said):
    with pytest.raises(ConfigError, match=said):
        method_of(tiny, name, **model)
