"""Blocks and fused likelihoods against the plain dense masked formulation of the same network."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gmade
from tests.gmade import oracle
from tests.gmade.cases import (
    ORDERS,
    assert_close,
    build,
    build_fine,
    jit_as_in_use,
    random_params,
    window,
)

# name: order, bins in a group, hidden, other arguments, whether cut as finely as can be
CASES = {
    "causal fine": ("causal", 3, (18, 7), {}, True),
    "causal wide": ("causal", 3, (256, 300), {}, False),
    "causal in blocks without masks": ("causal", 48, (512, 512), {}, False),
    "causal contexts": ("causal", 3, (160, 260), dict(num_contexts=3), False),
    "causal two targets": ("causal", 3, (256, 300), dict(targets=(3, 1)), False),
    "reversed": ("reversed", 3, (300, 256), {}, False),
    "middle_last": ("middle_last", 3, (256, 300), {}, False),
    "middle_last single": ("middle_last", 3, (24,), dict(targets=(2,)), False),
    "idnn fine": ("idnn", 3, (16, 16), {}, True),
    "idnn single": ("idnn", 3, (256, 300), dict(targets=(2,)), False),
    "idnn contexts": ("idnn", 3, (16, 16), dict(num_contexts=3), False),
    "idnn unconditional": ("idnn", 3, (16, 16), dict(targets=(0, 4)), False),
    "diamond": ("diamond", 3, (256, 300), {}, False),
    "two_chains contexts fine": ("two_chains", 2, (16, 24), dict(num_contexts=2), True),
    "two_chains": ("two_chains", 3, (300, 260), {}, False),
    "made": ("made", 1, (300, 32), {}, False),
    "made fine": ("made", 1, (16,), {}, True),
    "one_group": ("one_group", 3, (16, 16), {}, False),
    "gaussian": ("causal", 3, (256, 300), dict(head=gmade.gaussian()), False),
    "middle_last direct fine": ("middle_last", 3, (18, 7), dict(direct=True), True),
    "causal direct": ("causal", 48, (24,), dict(direct=True), False),
    "permuted direct narrow": ("permuted", 3, (2, 1), dict(direct=True), False),
    "idnn direct": ("idnn", 3, (16,), dict(direct=True, targets=(2, 0), num_contexts=3), False),
    "two_chains direct fine": ("two_chains", 2, (16, 3), dict(direct=True), True),
}
BATCH = 9


@cache
def both(name):
    """`(log_prob, loss, (gradients by parameter, gradient by x))` from blocks and the oracle."""
    order, size, hidden, kwargs, fine = CASES[name]
    density = (build_fine if fine else build)(ORDERS[order], size, hidden, **kwargs)
    log_pdf = oracle.gaussian_log_pdf if "head" in kwargs else oracle.mixture_log_pdf
    kwargs = {key: value for key, value in kwargs.items() if key != "head"}
    truth = oracle.dense(ORDERS[order], size, hidden, log_pdf, **kwargs)
    params, x = random_params(density), window(BATCH, len(ORDERS[order]), size)
    num_contexts = kwargs.get("num_contexts")
    context = jnp.asarray(np.arange(BATCH) % num_contexts) if num_contexts else None

    def nll(params, x):
        return -truth.log_prob(params, x, context).mean()

    def ours(params, x):
        loss, gradients = jax.value_and_grad(density.loss, (0, 1))(params, x, context)
        return density.log_prob(params, x, context), loss, gradients

    def theirs(params, x):
        return truth.log_prob(params, x, context), *jax.value_and_grad(nll, (0, 1))(params, x)

    compiled = jit_as_in_use(ours) if min(hidden) >= 512 else jax.jit(ours)
    log_prob, loss, (by_param, by_x) = compiled(params, x)
    expected = oracle.in_float64(theirs, truth.scatter(params), x)
    return (log_prob, loss, (truth.scatter(by_param), by_x)), expected


@pytest.mark.parametrize("name", CASES)
def test_the_log_density_is_that_of_the_dense_network(name):
    (log_prob, loss, _), (true_log_prob, true_loss, _) = both(name)
    assert log_prob.dtype == loss.dtype == np.float32
    np.testing.assert_allclose(log_prob, true_log_prob, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(loss, true_loss, rtol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_the_gradient_is_that_of_the_dense_network(name):
    (_, _, gradients), (_, _, true_gradients) = both(name)
    assert_close(gradients, true_gradients)
    assert any(np.abs(leaf).max(initial=0) > 0 for leaf in jax.tree.leaves(true_gradients))


def test_the_oracle_itself_masks_what_the_order_forbids():
    order = ORDERS["two_chains"]
    truth = oracle.dense(order, 2, (8, 12), None)
    paths = truth.trunk[0].astype(int) @ truth.trunk[1].astype(int) @ truth.head.astype(int)
    allowed = np.kron(order.T, np.ones((2, 2), bool))
    assert np.array_equal(paths > 0, allowed)
