import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from ssl_cls.warping import displacement, draw_warps, warped

U = jnp.linspace(-1, 1, 1001)


def random_images(*shape):
    return jnp.asarray(np.random.default_rng(0).normal(0, 10, shape), jnp.float32)


def test_no_coefficients_no_warp():
    images = random_images(2, 16, 32)
    np.testing.assert_allclose(warped(images, jnp.zeros((2, 2, 3))), images, atol=1e-4)


def test_warps_are_linear_interpolation_at_the_displaced_points():
    images, warps = random_images(3, 16, 32), draw_warps(jax.random.key(1), 3)
    ours = warped(images, warps)
    for image, coefficients, bent in zip(images, warps, ours, strict=True):
        places = []
        for polynomial, size in zip(np.asarray(coefficients), image.shape, strict=True):
            u = np.linspace(-1, 1, size)
            moved = u + (1 - u**2) * np.polynomial.polynomial.polyval(u, polynomial)
            places.append((moved + 1) * (size - 1) / 2)
        theirs = map_coordinates(np.asarray(image), np.meshgrid(*places, indexing="ij"), order=1)
        np.testing.assert_allclose(bent, theirs, atol=1e-3)


@pytest.mark.parametrize("strength", [0.2, 0.9])
def test_kinds_differ_from_none_and_never_fold(strength):
    warps = draw_warps(jax.random.key(0), 20, strength)
    moved = displacement(warps, U)
    stretch = np.diff(moved) / np.diff(U)
    np.testing.assert_allclose(np.abs(stretch).max(-1), strength, rtol=0.04)
    assert (np.diff(np.asarray(U) + np.asarray(moved)) > 0).all()
    np.testing.assert_allclose(moved[..., [0, -1]], 0.0, atol=1e-6)


def test_only_the_axes_asked_for_are_bent():
    images = random_images(1, 16, 32)
    along_mels = draw_warps(jax.random.key(0), 1, axes=(1,))
    one_frame = jnp.broadcast_to(images[:, :1], images.shape)
    np.testing.assert_allclose(np.ptp(warped(one_frame, along_mels), axis=1), 0.0, atol=1e-4)
    one_band = jnp.broadcast_to(images[:, :, :1], images.shape)
    np.testing.assert_allclose(warped(one_band, along_mels), one_band, atol=1e-4)
    assert np.abs(warped(images, along_mels) - images).max() > 1


def test_kinds_are_drawn_by_the_key():
    one, same, other = (draw_warps(jax.random.key(k), 2) for k in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert not np.allclose(one, other)
    assert not np.allclose(one[0], one[1])


@pytest.mark.parametrize("strength", [0.0, 1.0, -0.1])
def test_a_strength_that_cannot_be(strength):
    with pytest.raises(ValueError, match="strength="):
        draw_warps(jax.random.key(0), 1, strength)
