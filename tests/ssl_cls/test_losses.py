import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from scipy.special import log_softmax, rel_entr, softmax

from ssl_cls import losses, scores

LOGITS = 3 * np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
IDS = np.array([0, 1, 2, 3, 0, 1])
SHARES = np.random.default_rng(1).dirichlet(np.ones(4), size=6).astype(np.float32)


def test_cross_entropy_of_whole_classes():
    ours = losses.soft_cross_entropy(jnp.asarray(LOGITS), jax.nn.one_hot(IDS, 4))
    theirs = optax.softmax_cross_entropy_with_integer_labels(LOGITS, IDS)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_kl_divergence_is_scipys():
    ours = losses.kl_divergence(jnp.asarray(LOGITS), jnp.asarray(SHARES))
    np.testing.assert_allclose(ours, rel_entr(SHARES, softmax(LOGITS, 1)).sum(1), rtol=1e-4)


def test_kl_divergence_is_zero_at_the_targets():
    shares = jnp.array([[0.4, 0.6, 0.0]])
    logits = jnp.log(shares + 1e-30)
    np.testing.assert_allclose(losses.kl_divergence(logits, shares), [0.0], atol=1e-6)


def test_kl_divergence_and_cross_entropy_have_one_gradient():
    one, other = (
        jax.grad(lambda logits, loss=loss: loss(logits, jnp.asarray(SHARES)).sum())(LOGITS)
        for loss in (losses.kl_divergence, losses.soft_cross_entropy)
    )
    np.testing.assert_allclose(one, other, atol=1e-6)
    np.testing.assert_allclose(other, softmax(LOGITS, 1) - SHARES, atol=1e-5)


def test_accuracy():
    logits = jnp.array([[2.0, 1.0], [0.0, 3.0], [5.0, 1.0], [1.0, 0.0]])
    targets = jnp.array([[1.0, 0.0], [0.4, 0.6], [0.2, 0.8], [0.9, 0.1]])
    assert losses.accuracy(logits, targets) == pytest.approx(0.75)


def test_scores_are_their_definitions():
    log_p = log_softmax(LOGITS.astype(np.float64), 1)[np.arange(6), IDS]
    p = np.exp(log_p)
    expected = {
        scores.negative_log_softmax: -log_p,
        scores.negative_softmax: -p,
        scores.negative_log_odds: -np.log(p / (1 - p)),
    }
    for score, values in expected.items():
        np.testing.assert_allclose(
            score(jnp.asarray(LOGITS), jnp.asarray(IDS)), values, rtol=1e-4, atol=1e-5
        )


def test_log_odds_tell_apart_what_is_certain():
    logits = jnp.array([[30.0, 0.0, 0.0], [60.0, 0.0, 0.0]])
    ids = jnp.zeros(2, jnp.int32)
    assert (scores.negative_log_softmax(logits, ids) == 0).all()
    np.testing.assert_allclose(
        scores.negative_log_odds(logits, ids), [np.log(2) - 30, np.log(2) - 60], rtol=1e-6
    )


def test_the_cosine_is_the_logit_over_the_scale():
    cosine = scores.negative_cosine(jnp.asarray(LOGITS), jnp.asarray(IDS), 30.0)
    np.testing.assert_allclose(cosine, -LOGITS[np.arange(6), IDS] / 30, rtol=1e-6)


@pytest.mark.parametrize(
    "score",
    [
        scores.negative_log_softmax,
        scores.negative_softmax,
        scores.negative_log_odds,
        lambda logits, ids: scores.negative_cosine(logits, ids, 30.0),
    ],
)
def test_the_less_of_its_own_id_the_stranger(score):
    logits = jnp.array([[3.0, 0.0, 0.0], [1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]])
    assert (np.diff(score(logits, jnp.zeros(3, jnp.int32))) > 0).all()
