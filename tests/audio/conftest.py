from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

RATE = 16000


@pytest.fixture
def hum() -> Callable[..., np.ndarray]:
    """A second of a humming machine in a hall, or as many channels of it as asked for."""

    def make(seconds: float = 1.0, channels: int = 1, rate: int = RATE, seed: int = 0):
        rng = np.random.default_rng(seed)
        t = np.arange(int(seconds * rate))[:, None] / rate
        tones = sum(np.sin(2 * np.pi * f * t) / f for f in (50, 100, 150, 1210))
        signal = 2.0 * tones + 0.02 * rng.normal(size=(len(t), channels))
        return (signal * np.linspace(1.0, 0.5, channels)).squeeze()

    return make


@pytest.fixture
def write(hum) -> Callable[..., Path]:
    """Writes one sound file and the folders above it."""

    def make(path: Path, signal: np.ndarray | None = None, rate: int = RATE, subtype="PCM_16"):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix.lower() == ".npy":
            np.save(path, np.zeros((20, 128), np.float32) if signal is None else signal)
        else:
            subtype = "VORBIS" if path.suffix.lower() == ".ogg" else subtype
            soundfile.write(path, hum(0.5) if signal is None else signal, rate, subtype)
        return path

    return make
