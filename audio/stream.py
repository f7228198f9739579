"""Windows streamed from the host's memory, for log-mels that a device has no room for."""

from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from audio.windows import Windows


def stream_windows(
    windows: Windows, requests: Callable[[], Iterator[np.ndarray]], ahead: int = 2
) -> Iterator[np.ndarray]:
    """The windows asked for, gathered by tf.data while earlier ones are at work.

    Args:
        windows: of all clips.
        requests: gives the indices of the windows wanted, array by array, of any one rank.
        ahead: how many answers to keep ready.

    Yields:
        (*request's shape, num_frames, num_mels) for each request, in order.
    """
    rank = next(requests()).ndim
    asked = tf.data.Dataset.from_generator(
        requests, output_signature=tf.TensorSpec([None] * rank, tf.int64)
    )
    answers = asked.map(
        lambda which: tf.numpy_function(windows.gather, [which], windows.frames.dtype),
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )
    return answers.prefetch(ahead).as_numpy_iterator()
