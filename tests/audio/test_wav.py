import io

import numpy as np
import soundfile

from audio.wav import encode_wav


def test_a_player_reads_back_what_was_encoded():
    signal = 0.5 * np.sin(np.linspace(0, 100, 1600)).astype(np.float32)
    found, rate = soundfile.read(io.BytesIO(encode_wav(signal, 8000)), dtype="float32")
    assert rate == 8000
    np.testing.assert_allclose(found, signal, atol=2e-4)


def test_what_is_too_loud_is_clipped_and_not_wrapped():
    found, _ = soundfile.read(io.BytesIO(encode_wav(np.array([3.0, -3.0]), 8000)))
    assert found[0] > 0.99 and found[1] < -0.99
