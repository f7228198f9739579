"""A signal as the bytes of a wav file, for players."""

import io
import wave

import numpy as np


def encode_wav(signal: np.ndarray, sample_rate: int) -> bytes:
    """Encodes a signal of shape (T,) in [-1, 1] as 16-bit mono PCM; the rest is clipped."""
    pcm = np.clip(np.round(signal * 32767), -32768, 32767).astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes(pcm.tobytes())
    return buffer.getvalue()
