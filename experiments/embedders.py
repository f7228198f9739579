"""From a config's `embedding` section to what makes embeddings of recordings."""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

import baselines
from audio.clips import Clip
from audio.embedder import Embedder
from baselines import cnn14, tflite, vggish
from experiments.errors import ConfigError, MissingSound, MissingWeights
from experiments.sources import cache_dir

SOUND_RATE = 16000  # Hz; of no account where embeddings are ready


@dataclass
class Clock:
    """Seconds that were spent on embedding, compiling aside, and the hours of audio in them."""

    seconds: float = 0.0
    hours: float = 0.0

    def since(self, other: "Clock") -> "Clock":
        """What was added since."""
        return Clock(self.seconds - other.seconds, self.hours - other.hours)


def embedder_of(config: Any, clips: Sequence[Clip], clock: Clock) -> Embedder | None:
    """What makes embeddings of a config's clips; None for a config whose features are log-mels.

    Args:
        config: the experiment.
        clips: its clips, of which ready embeddings say how many dimensions they have.
        clock: runs while recordings are embedded, and not while embeddings are recalled.

    Raises:
        ConfigError: no such network, or a setting it cannot have; `MissingSound` where all clips
            are ready features, `MissingWeights` where weights are not there or cannot be read.
    """
    if "embedding" not in config:
        return None
    settings = config.embedding
    if settings.network not in NETWORKS:
        known = ", ".join(NETWORKS)
        raise ConfigError(f"embedding.network={settings.network!r} is not known: use {known}")
    if config.data.rehearsal:
        raise ConfigError("data.rehearsal changes log-mels, and embeddings are made of sound")
    if settings.network != "npy" and all(map(_is_ready, clips)):
        raise MissingSound(f"{settings.network} hears sound, and these clips are ready log-mels")
    path = Path(settings.weights).expanduser() if settings.weights else None
    try:
        embedder = NETWORKS[settings.network](config, path, clips)
    except baselines.WeightsError as error:
        raise MissingWeights(str(error)) from error
    return _timed(embedder, clock)._replace(pooled=settings.pooled)


def _timed(embedder: Embedder, clock: Clock) -> Embedder:
    """An embedder by the clock, which stands still for the first of a length: that compiles."""
    compiled: set[int] = set()

    def embed(signal: np.ndarray) -> np.ndarray:
        started = time.perf_counter()
        embeddings = embedder.embed(signal)
        if len(signal) in compiled:
            clock.seconds += time.perf_counter() - started
            clock.hours += len(signal) / embedder.sample_rate / 3600
        compiled.add(len(signal))
        return embeddings

    return embedder._replace(embed=embed)


def _cnn14(config: Any, path: Path | None, clips: Sequence[Clip]) -> Embedder:
    """PANNs Cnn14: one embedding a clip, of 2048 dimensions."""
    variables = baselines.load_weights("cnn14", path, _folder(config))
    return _flax("cnn14", cnn14.embed, variables, cnn14.SAMPLE_RATE, 2048)


def _vggish(config: Any, path: Path | None, clips: Sequence[Clip]) -> Embedder:
    """VGGish: an embedding of 128 dimensions every 0.96 s, along its principal axes."""
    variables = baselines.load_weights("vggish", path, _folder(config))

    def embed(variables: Any, waveform: Any) -> Any:
        return vggish.whiten(variables, vggish.embed(variables, waveform))

    return _flax("vggish", embed, variables, vggish.SAMPLE_RATE, vggish.EMBEDDING)


def _is_ready(clip: Clip) -> bool:
    return clip.path is not None and clip.path.suffix.lower() == ".npy"


def _folder(config: Any) -> Path:
    """Where converted weights are kept."""
    return cache_dir(config.data) / "weights"


def _flax(
    name: str, embed: Callable[..., Any], variables: Any, sample_rate: int, num_dims: int
) -> Embedder:
    """A network in Flax; it is compiled anew for clips of another length."""
    digest = hashlib.sha256()
    for leaf in jax.tree.leaves(variables):
        digest.update(np.ascontiguousarray(leaf).tobytes())
    run, variables = jax.jit(embed), jax.device_put(variables)

    def embed_one(signal: np.ndarray) -> np.ndarray:
        return np.asarray(run(variables, signal[None])).reshape(-1, num_dims)

    return Embedder(f"{name} {digest.hexdigest()}", sample_rate, num_dims, embed_one)


def _tflite(config: Any, path: Path | None, clips: Sequence[Clip]) -> Embedder:
    """Any TensorFlow Lite model of a waveform."""
    settings = config.embedding
    if path is None:
        raise ConfigError("embedding.network=tflite needs --config.embedding.weights=FILE.tflite")
    model = tflite.load(path, settings.output)
    second = np.zeros((1, model.samples or settings.sample_rate), np.float32)
    num_dims = tflite.embed(model, second).shape[-1]

    def embed_one(signal: np.ndarray) -> np.ndarray:
        return tflite.embed(model, signal[None])[0]

    identity = f"tflite {hashlib.sha256(path.read_bytes()).hexdigest()} {settings.output}"
    return Embedder(identity, settings.sample_rate, num_dims, embed_one)


def _ready(config: Any, path: Path | None, clips: Sequence[Clip]) -> Embedder:
    """Embeddings that come as `.npy` files, `(dims,)` or `(embeddings, dims)`."""
    files = [clip.path for clip in clips if clip.path and _is_ready(clip)]
    if not files:
        raise ConfigError("embedding.network=npy reads embeddings, and there is no .npy file")
    try:
        num_dims = np.load(files[0], mmap_mode="r", allow_pickle=False).shape[-1]
    except (OSError, ValueError, EOFError, AttributeError, IndexError) as error:
        raise ConfigError(f"{files[0]} holds no embedding: {error}") from error

    def embed_one(signal: np.ndarray) -> np.ndarray:
        raise ValueError("is sound, and embedding.network=npy takes embeddings")

    return Embedder("npy", SOUND_RATE, num_dims, embed_one)


NETWORKS = {"cnn14": _cnn14, "vggish": _vggish, "tflite": _tflite, "npy": _ready}
