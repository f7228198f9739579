from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from ssl_cls import convolution as convolutions
from ssl_cls import depthwise as depthwises
from ssl_cls.layers import max_pool

SIZES = [(16, 32), (8, 8), (5, 7), (2, 4), (3, 2), (1, 1)]


def random(key, *shape):
    return jnp.asarray(np.random.default_rng(key).standard_normal(shape, np.float32))


def close(one, other):
    one, other = (np.asarray(each, np.float64) for each in (one, other))
    np.testing.assert_allclose(one, other, atol=2e-5 * max(1.0, np.abs(other).max()))


def value_and_gradients(function, *args):
    y, pull = jax.vjp(jax.jit(function), *args)
    return y, *jax.jit(pull)(random(2, *y.shape))


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_shifts_are_the_grouped_convolution(size, stride):
    x, kernel = random(0, 3, *size, 5), random(1, 3, 3, 5)
    ways = (depthwises.by_shifts, depthwises.by_groups)
    ours, theirs = (
        value_and_gradients(lambda x, k, way=way: way(x, k, stride), x, kernel) for way in ways
    )
    assert ours[0].shape == (3, -(-size[0] // stride), -(-size[1] // stride), 5)
    jax.tree.map(close, ours, theirs)


def test_the_backend_chooses(monkeypatch):
    x, kernel = random(0, 2, 4, 4, 3), random(1, 3, 3, 3)
    jaxpr = {}
    for backend in ("cpu", "gpu"):
        monkeypatch.setattr(jax, "default_backend", lambda backend=backend: backend)
        depthwise = partial(depthwises.depthwise, stride=1)
        jaxpr[backend] = str(jax.make_jaxpr(depthwise)(x, kernel))
    assert "conv_general_dilated" not in jaxpr["cpu"]
    assert "conv_general_dilated" in jaxpr["gpu"]


def test_shifts_on_a_batch_divided_among_devices():
    mesh = jax.make_mesh((jax.device_count(),), ("batch",), axis_types=(AxisType.Auto,))
    assert mesh.size > 1
    x, kernel = random(0, 2 * mesh.size, 8, 6, 4), random(1, 3, 3, 4)
    divided = jax.device_put(x, NamedSharding(mesh, PartitionSpec("batch")))
    whole = jax.device_put(kernel, NamedSharding(mesh, PartitionSpec()))
    function = jax.jit(
        jax.grad(lambda x, k: jnp.square(depthwises.by_shifts(x, k, 2)).sum(), (0, 1))
    )
    jax.tree.map(close, function(divided, whole), function(x, kernel))
    assert function(divided, whole)[0].sharding.is_equivalent_to(divided.sharding, 4)


def test_shifts_under_vmap():
    x, kernel = random(0, 2, 3, 8, 6, 4), random(1, 2, 3, 3, 4)
    function = jax.grad(lambda x, k: jnp.square(depthwises.by_shifts(x, k, 1)).sum(), (0, 1))
    together = jax.jit(jax.vmap(function))(x, kernel)
    for i in range(2):
        jax.tree.map(lambda a, b, i=i: close(a[i], b), together, function(x[i], kernel[i]))


@pytest.mark.parametrize(("size", "stride"), [((2, 4), 1), ((6, 5), 2), ((1, 1), 1)], ids=str)
def test_patches_are_the_convolution(size, stride):
    x, kernel, padding = random(0, 3, *size, 4), random(1, 3, 3, 4, 5), ((1, 1), (0, 2))
    ours, theirs = (
        value_and_gradients(lambda x, k, way=way: way(x, k, stride, padding), x, kernel)
        for way in (convolutions.by_patches, convolutions.by_convolution)
    )
    jax.tree.map(close, ours, theirs)


def test_small_images_do_not_change_places_with_the_kernel(monkeypatch):
    taken = []

    def take(x, *_, name):
        taken.append(name)
        return x

    for name in ("by_patches", "by_convolution"):
        monkeypatch.setattr(convolutions, name, partial(take, name=name))
    monkeypatch.setattr(jax, "default_backend", lambda: "cpu")
    for size in [(2, 4), (3, 3), (16, 32)]:
        convolutions.convolution(random(0, 1, *size, 2), random(1, 3, 3, 2, 2), 1, ((1, 1), (1, 1)))
    assert taken == ["by_patches", "by_convolution", "by_convolution"]


def test_the_compiler_takes_its_options_and_they_change_no_number(monkeypatch):
    x, kernel = random(0, 3, 8, 8, 4), random(1, 3, 3, 4, 5)
    same = ((1, 1), (1, 1))
    options = convolutions.compiler_options()
    assert options
    plain, chosen = (
        jax.jit(lambda x, k: convolutions.convolution(x, k, 1, same), compiler_options=each)
        for each in ({}, options)
    )
    close(chosen(x, kernel), plain(x, kernel))
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert convolutions.compiler_options() == {}


def test_pointwise_is_a_convolution():
    x, kernel = random(0, 3, 4, 5, 6), random(1, 6, 7)
    theirs = convolutions.by_convolution(x, kernel[None, None], 1, ((0, 0), (0, 0)))
    close(convolutions.pointwise(x, kernel), theirs)


@pytest.mark.parametrize("size", [(8, 6), (5, 7)], ids=str)
def test_max_pooling(size):
    x = jax.nn.relu(random(0, 2, *size, 3))
    window, steps = (1, 3, 3, 1), (1, 2, 2, 1)

    def pooled(x):
        pads = ((0, 0), (1, 1), (1, 1), (0, 0))
        return lax.reduce_window(x, -jnp.inf, lax.max, window, steps, pads)

    ours, theirs = (
        value_and_gradients(lambda x, pool=pool: pool(jax.nn.relu(x)), x)
        for pool in (max_pool, pooled)
    )
    np.testing.assert_array_equal(ours[0], theirs[0])
    close(ours[1], theirs[1])
