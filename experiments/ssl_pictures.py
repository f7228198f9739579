"""What label augmentation does to an image, one panel for each way that is switched on."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

import ssl_cls
from scoring.panels import Panel

# Compiled whole, which is sooner done than one operation after another.
combined = jax.jit(ssl_cls.combined, static_argnames="mixture")
warped = jax.jit(ssl_cls.warped)

MIXED = {"power": "of power, before the log", "db": "of decibels, after the log"}


def illustrate(
    settings: dict[str, Any], variables: dict[str, Any], images: Array | np.ndarray
) -> list[Panel]:
    """Panels of an image and its partner, (2, frames, mels) dB, after each augmentation."""
    panels, images = [], jnp.asarray(images)
    if settings["mixture"] != "none":
        half = jnp.full((1,), 0.5)
        mixed = combined(images[:1], images[1:], half, mixture=settings["mixture"])[0]
        panels += [
            Panel("Its partner", "another clip", np.asarray(images[1])),
            Panel("Half of each", MIXED[settings["mixture"]], np.asarray(mixed)),
        ]
    if settings["num_warps"]:
        warps = jnp.asarray(jax.device_get(variables["warps"]))
        every = jnp.broadcast_to(images[:1], (len(warps), *images.shape[1:]))
        panels += [
            Panel(f"Warp {kind}", "at its full strength", image)
            for kind, image in enumerate(np.asarray(warped(every, warps)), 1)
        ]
    return panels
