import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.methods import build

KEY = jax.random.key(0)
X = jax.random.normal(KEY, (6, 5, 128)) * 5 - 30
IDS = jnp.asarray([0, 1, 2, 0, 1, 2])
MOMENTS = {"mean": np.full(128, -30, np.float32), "std": np.full(128, 5, np.float32)}


def method_with(tiny, num_ids=3, **model):
    config = tiny()
    config.model.update(model)
    method = build(config, num_ids)
    variables = method.init(KEY, {"x": X, "id": IDS, **MOMENTS})
    # Moved off the start, where the network's outputs are all but constant.
    params = jax.tree.map(
        lambda leaf: leaf + 0.1 * jax.random.normal(KEY, leaf.shape), variables["params"]
    )
    return method, {**variables, "params": params}


def score(method, variables, x=X, ids=IDS):
    return np.asarray(method.score(variables, {"x": x, "id": ids}))


def test_the_score_is_the_sum_of_what_explains_it(tiny):
    method, variables = method_with(tiny)
    nats = np.asarray(method.explain(variables, {"x": X, "id": IDS}))
    assert np.isnan(nats[:, [0, 1, 3, 4]]).all()
    np.testing.assert_allclose(score(method, variables), nats[:, 2].sum(-1), rtol=1e-5)


def test_densities_are_of_decibels_whatever_the_moments(tiny):
    """The mean loss of standard normal data under its own law, in the units it came in."""
    method, variables = method_with(tiny, num_components=0)
    params = jax.tree.map(jnp.zeros_like, variables["params"])
    expected = np.log(5) + 0.5 * np.log(2 * np.pi) + ((X[:, 2] + 30) ** 2).mean() / 50
    batch = {"x": X, "id": IDS}
    loss, (_, metrics) = method.loss({**variables, "params": params}, KEY, batch)
    assert float(loss) == pytest.approx(float(expected), rel=1e-5)
    assert metrics["loss"] == loss


def test_all_frames_are_scored_when_none_is_named(tiny):
    method, variables = method_with(tiny, ordering="causal", train_frames=(), score_frames=())
    assert not np.isnan(method.explain(variables, {"x": X, "id": IDS})).any()


def test_scoring_some_of_the_trained_frames(tiny):
    method, variables = method_with(tiny, ordering="causal", train_frames=(), score_frames=(1, 4))
    nats = np.asarray(method.explain(variables, {"x": X, "id": IDS}))
    assert (~np.isnan(nats).all(axis=(0, 2))).tolist() == [False, True, False, False, True]
    np.testing.assert_allclose(score(method, variables), np.nansum(nats, axis=(1, 2)), rtol=1e-5)


def test_without_ids_the_id_says_nothing(tiny):
    method, variables = method_with(tiny)
    assert np.array_equal(score(method, variables), score(method, variables, ids=IDS[::-1]))


def test_the_margin_is_own_density_against_the_best_other(tiny):
    density, variables = method_with(tiny, use_id=True)
    margin, _ = method_with(tiny, use_id=True, score="margin")
    both, _ = method_with(tiny, use_id=True, score="both", margin_weight=0.5)
    by_id = np.stack([score(density, variables, ids=jnp.full(6, i)) for i in range(3)])
    own = by_id[np.asarray(IDS), np.arange(6)]
    others = np.where(np.arange(3)[:, None] == np.asarray(IDS), np.inf, by_id).min(0)
    np.testing.assert_allclose(score(margin, variables), own - others, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(
        score(both, variables), own + 0.5 * (own - others), rtol=1e-4, atol=1e-3
    )


def test_ranks_and_names_say_the_same_ordering(tiny):
    named, variables = method_with(tiny, ordering="causal", train_frames=(), score_frames=())
    ranked, _ = method_with(tiny, ordering=(0, 1, 2, 3, 4), train_frames=(), score_frames=())
    matrix = np.tri(5, k=-1, dtype=int).tolist()
    written, _ = method_with(tiny, ordering=matrix, train_frames=(), score_frames=())
    assert np.array_equal(score(named, variables), score(ranked, variables))
    assert np.array_equal(score(named, variables), score(written, variables))


def test_dropout_is_for_training_alone(tiny):
    method, variables = method_with(tiny, dropout_rate=0.5)
    batch = {"x": X, "id": IDS}
    losses = [float(method.loss(variables, jax.random.key(i), batch)[0]) for i in (1, 1, 2)]
    assert losses[0] == losses[1] != losses[2]
    assert np.array_equal(score(method, variables), score(method, variables))


@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu", "silu"])
def test_every_activation_can_be_chosen(tiny, activation):
    assert np.isfinite(score(*method_with(tiny, activation=activation))).all()
