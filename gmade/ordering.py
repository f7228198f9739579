"""Orderings: which group may see which.

An ordering is a strict partial order over groups, held as its adjacency matrix: `adjacency[i, j]`
is true where group i is conditioned on group j. Ranks are the short way to write most of them:
a group sees every group of lower rank, and none of its own.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool

ORDERINGS = ("causal", "reversed", "middle_last", "first_last")


def frame_ranks(ordering: str, num_frames: int) -> tuple[int, ...]:
    """Ranks of a window's frames under an ordering known by name.

    Args:
        ordering: `causal` (each frame sees those before it), `reversed` (those after it),
            `middle_last` (the middle frame sees all the others, which come in causal order:
            Giri et al., eq. 4, after IDNN), or `first_last` (the first frame sees all the others).
        num_frames: frames in a window.

    Returns:
        One rank per frame.

    Raises:
        ValueError: the name is not known.
    """
    frames = list(range(num_frames))
    match ordering:
        case "causal":
            return tuple(frames)
        case "reversed":
            return tuple(reversed(frames))
        case "middle_last":
            last = num_frames // 2
        case "first_last":
            last = 0
        case _:
            raise ValueError(f"unknown ordering {ordering!r}: known are {', '.join(ORDERINGS)}")
    order = [frame for frame in frames if frame != last] + [last]
    return tuple(order.index(frame) for frame in frames)


def adjacency_from_ranks(ranks: Sequence[int]) -> Bool[np.ndarray, "groups groups"]:
    """The adjacency of a weak order: group i sees group j where `ranks[i] > ranks[j]`."""
    rank = np.asarray(ranks)
    return rank[:, None] > rank[None, :]


def check_adjacency(adjacency: Bool[np.ndarray, "groups groups"]) -> None:
    """Checks that an adjacency is a strict partial order, so that its conditionals multiply up.

    Raises:
        ValueError: a group sees itself, or a group sees another but not all that one sees.
    """
    if adjacency.diagonal().any():
        raise ValueError(f"group {int(adjacency.diagonal().argmax())} of the ordering sees itself")
    reached = (adjacency.astype(int) @ adjacency.astype(int)) > 0
    missing = np.argwhere(reached & ~adjacency)
    if missing.size:
        i, j = missing[0]
        raise ValueError(f"not a partial order: group {i} sees group {j} only by way of another")


def depths(adjacency: Bool[np.ndarray, "groups groups"]) -> np.ndarray:
    """Length of the longest chain of groups below each group: the order in which to sample."""
    depth = np.zeros(len(adjacency), int)
    for _ in adjacency:
        depth = np.where(adjacency, depth[None, :] + 1, 0).max(axis=1, initial=0)
    return depth


def regroup(
    adjacency: Bool[np.ndarray, "groups groups"], size: int
) -> Bool[np.ndarray, "bins bins"]:
    """Splits every group into `size` groups of one, seen in order: MADE from Group MADE.

    Each bin sees all that its group saw and the bins before it in its own group.
    """
    across = np.kron(adjacency, np.ones((size, size), bool))
    within = np.kron(np.eye(len(adjacency), dtype=bool), np.tri(size, k=-1, dtype=bool))
    return across | within
