import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ssl_cls.augment import Augmentation, augment, combined, mix, num_classes, warp
from ssl_cls.warping import draw_warps, warped

NUM_IDS, BATCH, EPS = 3, 64, 1e-10
IDS = jnp.arange(BATCH) % NUM_IDS
POWER = np.random.default_rng(0).exponential(size=(BATCH, 8, 12)) + 1e-3
IMAGES = jnp.asarray(10 * np.log10(POWER + EPS), jnp.float32)
WARPS = draw_warps(jax.random.key(1), 2)
KEY = jax.random.key(2)


def jitted(augmentation):
    return jax.jit(lambda key, x, ids: augment(key, augmentation, x, ids))


@pytest.mark.parametrize("mixture", ["power", "db"])
def test_a_combination_is_what_it_says(mixture):
    weight = jnp.linspace(0, 1, BATCH)
    ours = combined(IMAGES, IMAGES[::-1], weight, mixture)
    w = np.asarray(weight)[:, None, None]
    if mixture == "db":
        theirs = w * IMAGES + (1 - w) * IMAGES[::-1]
    else:
        theirs = 10 * np.log10(w * POWER + (1 - w) * POWER[::-1] + EPS)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-3)


def test_an_unknown_mixture_is_named():
    with pytest.raises(ValueError, match="mixture='loud' is not known: use none, power, db"):
        combined(IMAGES, IMAGES, jnp.ones(BATCH), "loud")


@pytest.mark.parametrize("mixture", ["power", "db"])
def test_targets_are_the_proportions(mixture):
    """Constant images tell by their level what they were mixed of."""
    levels = jnp.array([0.0, 10.0, 20.0])[IDS]
    images = jnp.broadcast_to(levels[:, None, None], (BATCH, 4, 4))
    mixed, targets = mix(KEY, mixture, 0.7, images, jax.nn.one_hot(IDS, NUM_IDS))
    np.testing.assert_allclose(targets.sum(1), 1.0, rtol=1e-5)
    assert (targets >= 0).all()
    of_class = np.array([0.0, 10.0, 20.0])
    if mixture == "power":
        expected = 10 * np.log10(targets @ 10 ** (of_class / 10))
    else:
        expected = targets @ of_class
    np.testing.assert_allclose(mixed[:, 0, 0], expected, atol=1e-3)
    whole = (targets.max(1) == 1).mean()
    assert 0.3 < whole < 0.8  # three in ten, and those whose partner is of the same id
    assert ((targets > 0).sum(1) <= 2).all()


@pytest.mark.parametrize(("share", "touched"), [(0.0, 0.0), (1.0, 1.0)])
def test_the_share_that_is_mixed(share, touched):
    mixed, _ = mix(KEY, "db", share, IMAGES, jax.nn.one_hot(IDS, NUM_IDS))
    changed = jnp.abs(mixed - IMAGES).max((1, 2)) > 1e-4
    assert abs(changed.mean() - touched) < 0.05  # an image may be its own partner


def test_proportions_are_uniform():
    many = jnp.zeros((4000, 1, 1))
    targets = jax.nn.one_hot(jnp.arange(4000) % 2, 2)
    _, shares = mix(KEY, "db", 1.0, many, targets)
    own = jnp.where(targets[:, 0] > 0, shares[:, 0], shares[:, 1])
    across = own[own < 1]  # the others have a partner of the same class
    np.testing.assert_allclose(np.quantile(across, [0.25, 0.5, 0.75]), [0.25, 0.5, 0.75], atol=0.05)


def test_every_kind_of_warp_is_drawn_and_named():
    bent, kinds = warp(KEY, WARPS, IMAGES)
    assert set(np.asarray(kinds)) == {0, 1, 2}
    untouched = np.abs(bent - IMAGES).max((1, 2)) < 1e-3
    np.testing.assert_array_equal(untouched, np.asarray(kinds) == 0)


def test_a_warp_has_its_kinds_polynomial_and_half_its_strength_or_more():
    ramp = jnp.broadcast_to(jnp.arange(33.0), (BATCH, 33, 33))
    bent, kinds = warp(KEY, WARPS, ramp)
    shift = np.asarray(bent - ramp)[:, 0]
    for kind in (1, 2):
        full = np.asarray(warped(ramp[:1], WARPS[kind - 1 : kind]) - ramp[:1])[0, 0]
        strength = shift[np.asarray(kinds) == kind] @ full / (full @ full)
        assert strength.min() >= 0.5 - 1e-3
        assert strength.max() <= 1 + 1e-3
        assert np.ptp(strength) > 0.2
        np.testing.assert_allclose(
            shift[np.asarray(kinds) == kind], strength[:, None] * full[None], atol=1e-2
        )


@pytest.mark.parametrize(("warps", "classes"), [(None, NUM_IDS), (WARPS, 3 * NUM_IDS)])
def test_the_number_of_classes(warps, classes):
    augmentation = Augmentation(NUM_IDS, warps=warps)
    assert num_classes(augmentation) == classes
    assert jitted(augmentation)(KEY, IMAGES, IDS)[1].shape == (BATCH, classes)


def test_nothing_asked_for_nothing_done():
    images, targets = jitted(Augmentation(NUM_IDS))(KEY, IMAGES, IDS)
    np.testing.assert_array_equal(images, IMAGES)
    np.testing.assert_array_equal(targets, jax.nn.one_hot(IDS, NUM_IDS))


def test_each_id_warped_in_each_way_is_a_class_and_untouched_ids_keep_their_number():
    images, targets = jitted(Augmentation(NUM_IDS, warps=WARPS))(KEY, IMAGES, IDS)
    classes = np.asarray(targets.argmax(1))
    np.testing.assert_array_equal(classes % NUM_IDS, IDS)
    untouched = np.abs(images - IMAGES).max((1, 2)) < 1e-3
    np.testing.assert_array_equal(untouched, classes < NUM_IDS)


def test_they_compose():
    augmentation = Augmentation(NUM_IDS, "power", 1.0, WARPS)
    images, targets = jitted(augmentation)(KEY, IMAGES, IDS)
    assert images.shape == IMAGES.shape
    np.testing.assert_allclose(targets.sum(1), 1.0, rtol=1e-5)
    assert ((targets > 0).sum(1) == 2).mean() > 0.5
    assert (targets[:, NUM_IDS:].sum(1) > 0).mean() > 0.5


def test_the_key_alone_decides():
    function = jitted(Augmentation(NUM_IDS, "db", 0.5, WARPS))
    one, same, other = (function(jax.random.key(k), IMAGES, IDS)[0] for k in (5, 5, 6))
    np.testing.assert_array_equal(one, same)
    assert not np.allclose(one, other)
