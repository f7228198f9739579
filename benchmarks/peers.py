"""The same density from other libraries' parts; the extra `bench` installs them.

All are an ungrouped MADE over the 640 bins: with masked weights the grouping changes no product's
size. PyTorch runs eagerly on all cores, with its fused Adam, which is its fastest on a CPU.
"""

import importlib
import os
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.contestants import (
    LEARNING_RATE,
    NUM_BINS,
    STEPS,
    Contestant,
    Task,
    in_jax,
    plain_mixture,
)


def nflows(task: Task) -> Contestant:
    """`MixtureOfGaussiansMADE`: an initial layer, then feed-forward blocks of one layer each.

    Its initial layer has no nonlinearity, so with as many weights it has one ReLU less.
    """
    made = importlib.import_module("nflows.nn.nde.made").MixtureOfGaussiansMADE(
        NUM_BINS,
        one_width(task),
        num_blocks=len(task.hidden) - 1,
        num_mixture_components=task.num_components,
        use_residual_blocks=False,
        random_mask=False,
        custom_initialization=True,
    )
    return in_torch(made, made.log_prob, task)


def zuko(task: Task) -> Contestant:
    """`MaskedMLP`, and for every bin a `Mixture` of normals."""
    torch = importlib.import_module("torch")
    mixture = importlib.import_module("zuko.distributions").Mixture
    unpack = importlib.import_module("zuko.utils").unpack
    shapes = 3 * [(task.num_components,)]
    before = torch.ones(NUM_BINS, NUM_BINS, dtype=torch.bool).tril(-1)
    adjacency = before.repeat_interleave(3 * task.num_components, dim=0)
    net = importlib.import_module("zuko.nn").MaskedMLP(adjacency, task.hidden)

    def log_prob(x: Any) -> Any:
        logits, means, log_scales = unpack(net(x).unflatten(-1, (NUM_BINS, -1)), shapes)
        normals = torch.distributions.Normal(means, log_scales.exp())
        return mixture(normals, logits).log_prob(x).sum(-1)

    return in_torch(net, log_prob, task)


def flowjax(task: Task) -> Contestant:
    """`masked_autoregressive_mlp` and `plain_mixture`: its own mixture takes one bin at a time."""
    equinox = importlib.import_module("equinox")
    unwrap = importlib.import_module("paramax").unwrap
    autoregressive = importlib.import_module("flowjax.bijections.masked_autoregressive")
    width = one_width(task)
    mlp = autoregressive.masked_autoregressive_mlp(
        np.arange(NUM_BINS),
        np.arange(width) % (NUM_BINS - 1),
        np.repeat(np.arange(NUM_BINS), 3 * task.num_components),
        depth=len(task.hidden),
        key=jax.random.key(0),
    )
    params, static = equinox.partition(mlp, equinox.is_inexact_array)

    def log_prob(params: Any, x: jax.Array) -> jax.Array:
        net = unwrap(equinox.combine(params, static))
        return plain_mixture(jax.vmap(net)(x).reshape(*x.shape, 3, -1), x)

    return in_jax(
        params,
        lambda params, x: -log_prob(params, x).mean(),
        lambda params, x: log_prob(params, x).sum(-1),
        flat(task),
    )


def numpyro(task: Task) -> Contestant:
    """`AutoregressiveNN` and one `Normal` a bin; no hidden layer may be narrower than 640."""
    normal = importlib.import_module("numpyro.distributions").Normal
    init, apply = importlib.import_module("numpyro.nn").AutoregressiveNN(
        NUM_BINS, list(task.hidden), param_dims=[1, 1]
    )
    _, params = init(jax.random.key(0), (NUM_BINS,))

    def log_prob(params: Any, x: jax.Array) -> jax.Array:
        mean, log_scale = apply(params, x)
        return normal(mean, jnp.exp(log_scale)).log_prob(x)

    return in_jax(
        params,
        lambda params, x: -log_prob(params, x).mean(),
        lambda params, x: log_prob(params, x).sum(-1),
        flat(task),
    )


def in_torch(module: Any, log_prob: Callable[[Any], Any], task: Task) -> Contestant:
    """A contestant in PyTorch; `log_prob(x (batch, bins)) -> (batch,)`, nats."""
    torch = importlib.import_module("torch")
    torch.set_num_threads(os.cpu_count())
    optimizer = torch.optim.Adam(module.parameters(), lr=LEARNING_RATE, fused=True)
    batches = torch.from_numpy(flat(task))

    def train() -> float:
        nats = 0.0
        for x in batches:
            optimizer.zero_grad()
            loss = -log_prob(x).mean() / NUM_BINS
            loss.backward()
            optimizer.step()
            nats = loss.item()
        return nats

    def score() -> np.ndarray:
        with torch.inference_mode():
            return log_prob(batches[0]).numpy()

    return Contestant(sum(p.numel() for p in module.parameters()), train, score)


def flat(task: Task) -> np.ndarray:
    """The batches, each window a row of bins."""
    return task.batches().reshape(STEPS, task.batch_size, NUM_BINS)


def one_width(task: Task) -> int:
    """The width of all hidden layers.

    Raises:
        ValueError: they differ.
    """
    if len(set(task.hidden)) > 1:
        raise ValueError("all its hidden layers are of one width")
    return task.hidden[0]
