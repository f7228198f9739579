"""Embeddings from any TensorFlow Lite model that takes a waveform, such as YAMNet or BirdNET.

    model = tflite.load(Path("model.tflite"), output="embedding")
    embeddings = tflite.embed(model, waveforms)

Needs `pip install -e ".[tflite]"`. The sample rate is the model's own, which its file does not say.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Float32

from baselines.errors import WeightsError


class TFLiteModel(NamedTuple):
    """A model that is ready to run.

    Attributes:
        interpreter: LiteRT's.
        path: of its file.
        input: index of the waveform.
        output: index of the embedding.
        batched: whether the waveform is `(1, samples)` and not `(samples,)`.
        samples: that it takes; None for any number.
    """

    interpreter: Any
    path: Path
    input: int
    output: int
    batched: bool
    samples: int | None


def load(path: Path, output: str | None = None) -> TFLiteModel:
    """A model from its file.

    Args:
        path: the `.tflite` file.
        output: name of the output that is the embedding, in the model's signature if it has one;
            None where there is one output alone.

    Raises:
        WeightsError: LiteRT is not installed, or the model is no such model.
    """
    interpreter = _interpreter(path)
    inputs = interpreter.get_input_details()
    # Sides of free length are -1 in the signature.
    signatures = [tuple(int(n) for n in each["shape_signature"]) for each in inputs]
    if len(inputs) != 1 or inputs[0]["dtype"] != np.float32 or not _is_clip(signatures[0]):
        found = ", ".join(_described(each["name"], each) for each in inputs)
        raise WeightsError(
            f"{path} takes {found}: it should take one float32 waveform, [samples] or [1 samples]"
        )
    (signature,) = signatures
    samples = None if signature[-1] < 0 else signature[-1]
    chosen = _choose(path, _outputs(interpreter), output)
    return TFLiteModel(interpreter, path, inputs[0]["index"], chosen, len(signature) == 2, samples)


def embed(
    model: TFLiteModel, waveform: Float[np.ndarray, "batch samples"]
) -> Float32[np.ndarray, "batch patches embedding"]:
    """Embeddings of clips, one after another.

    A model for so many samples hears a clip in pieces of that length; what is left over is dropped.

    Args:
        model: from `load`.
        waveform: samples in [-1, 1] at the model's rate.

    Raises:
        ValueError: clips are shorter than the model takes.
        WeightsError: the model fails, or what comes out is no embedding.
    """
    length = waveform.shape[1] if model.samples is None else model.samples
    count = waveform.shape[1] // length if length else 0
    if not count:
        raise ValueError(
            f"{model.path} hears clips of {length or 1} samples or more;"
            f" these have {waveform.shape[1]}"
        )
    pieces = waveform[:, : count * length].reshape(len(waveform), count, length)
    try:
        shape = (1, length) if model.batched else (length,)
        model.interpreter.resize_tensor_input(model.input, shape)
        model.interpreter.allocate_tensors()
        embeddings = [[_run(model, piece.reshape(shape)) for piece in clip] for clip in pieces]
    except (ValueError, RuntimeError) as error:
        raise WeightsError(f"{model.path} fails on {length} samples: {error}") from error
    return np.stack([np.concatenate(clip) for clip in embeddings])


def _interpreter(path: Path) -> Any:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ModuleNotFoundError as error:
        raise WeightsError(f'{path} needs LiteRT: pip install -e ".[tflite]"') from error
    if not path.is_file():
        raise WeightsError(f"{path}: no such file")
    try:
        return Interpreter(str(path))
    except (ValueError, RuntimeError) as error:
        raise WeightsError(f"{path} is no TensorFlow Lite model that runs: {error}") from error


def _is_clip(signature: tuple[int, ...]) -> bool:
    return len(signature) == 1 or (len(signature) == 2 and abs(signature[0]) == 1)


def _described(name: str, details: dict[str, Any]) -> str:
    shape = " ".join(str(n) if n >= 0 else "?" for n in details["shape_signature"])
    return f"{name} [{shape}] {np.dtype(details['dtype']).name}"


def _outputs(interpreter: Any) -> dict[str, dict[str, Any]]:
    """The outputs by name: the signature's, or what their tensors are called."""
    if len(interpreter.get_signature_list()) == 1:
        return interpreter.get_signature_runner().get_output_details()
    return {each["name"]: each for each in interpreter.get_output_details()}


def _choose(path: Path, outputs: dict[str, dict[str, Any]], name: str | None) -> int:
    chosen = [each for known, each in outputs.items() if name in (None, known)]
    if len(chosen) != 1:
        found = ", ".join(_described(known, each) for known, each in outputs.items())
        raise WeightsError(f"{path} gives {found}: name the one that is the embedding")
    return chosen[0]["index"]


def _run(model: TFLiteModel, samples: np.ndarray) -> np.ndarray:
    """The embeddings of one piece, (patches, embedding)."""
    model.interpreter.set_tensor(model.input, samples.astype(np.float32))
    model.interpreter.invoke()
    embedding = model.interpreter.get_tensor(model.output)
    if embedding.ndim not in (1, 2) or embedding.dtype != np.float32:
        raise ValueError(f"{embedding.dtype} {embedding.shape} is no embedding")
    return np.atleast_2d(embedding)
