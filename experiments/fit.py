"""What is not learned by gradient: fitted once, to the embeddings of all train windows."""

import numpy as np

from audio.windows import Windows
from experiments.method import Method, Variables
from experiments.processes import gather_rows
from experiments.progress import Progress
from experiments.score import each_chunk


def fit(
    method: Method,
    variables: Variables,
    windows: Windows,
    ids: np.ndarray,
    batch_size: int,
    task: str,
) -> Variables:
    """What a method has learned, and with it what it fits, if it does.

    Args:
        method: embeds windows, and fits what its scores rest on.
        variables: what it has learned.
        windows: this process's share of the train windows; it is fitted to those of all processes.
        ids: (num_clips,) the id of each of its clips, as an index.
        batch_size: windows embedded at a time.
        task: what the progress bar is called.
    """
    if method.embed is None or method.fit is None:
        return variables
    parts, done = [], 0
    with Progress(task, len(windows), "window") as progress:
        for part in each_chunk(method.embed, variables, windows, ids, batch_size):
            parts.append(part)
            done += len(part)
            progress.update(done)
    ids = gather_rows(ids[windows.clip].astype(np.int32))
    return {**variables, **method.fit(gather_rows(np.concatenate(parts)), ids)}
