"""From an adjacency to the masks of a network that respects it.

Every hidden unit has a *degree*: an index into `views`, the distinct sets of groups that some
modelled group is allowed to see. A unit of degree d depends on the groups in `views[d]` alone, so
it may read a unit of degree c where `views[c]` is a subset of `views[d]`. For a total order the
views form a chain and this is MADE's comparison of degrees (Germain et al., eq. 13); for any other
partial order it is the same idea without the chain.
"""

from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Int


def distinct_views(
    adjacency: Bool[np.ndarray, "targets groups"], has_context: bool
) -> Bool[np.ndarray, "views groups"]:
    """The distinct rows of an adjacency, smallest first.

    A unit that sees no group is a constant, so the empty view is left out, unless a context gives
    such units something to say or there is no other view.
    """
    views = np.unique(adjacency, axis=0)
    views = views[np.argsort(views.sum(axis=1), kind="stable")]
    if not has_context and len(views) > 1:
        views = views[views.any(axis=1)]
    return views


def seen_groups(views: Bool[np.ndarray, "views groups"]) -> Int[np.ndarray, " seen"]:
    """The groups that are seen at all, those of the smaller views first.

    In this order a chain of views reads prefixes of the input.
    """
    first = np.where(views.any(axis=0), views.argmax(axis=0), len(views))
    order = np.argsort(first, kind="stable")
    return order[: int(views.any(axis=0).sum())]


def spread_degrees(width: int, num_views: int) -> Int[np.ndarray, " width"]:
    """Degrees spread evenly over a layer's units and sorted, so what a view reads is a prefix.

    The last unit always has the largest view: however narrow the layer, all of it gets through.
    """
    return -(-np.arange(1, width + 1) * num_views // width) - 1


def is_subset(
    views: Bool[np.ndarray, "inner groups"], others: Bool[np.ndarray, "outer groups"]
) -> Bool[np.ndarray, "inner outer"]:
    """Whether each of `views` lies within each of `others`: nothing of it lies without."""
    return views.astype(np.float32) @ (~others).T.astype(np.float32) == 0


def trunk_masks(
    views: Bool[np.ndarray, "views groups"], group_size: int, widths: tuple[int, ...]
) -> list[Bool[np.ndarray, "inputs units"]]:
    """One mask per hidden layer, `True` where a weight may live; its inputs as `seen_groups`."""
    degrees = [spread_degrees(width, len(views)) for width in widths]
    within = is_subset(views, views)
    first = np.repeat(views[degrees[0]][:, seen_groups(views)].T, group_size, axis=0)
    rest = [within[np.ix_(low, high)] for low, high in pairwise(degrees)]
    return [first, *rest]


def head_mask(
    views: Bool[np.ndarray, "views groups"],
    width: int,
    targets: Bool[np.ndarray, "targets groups"],
) -> Bool[np.ndarray, "width targets"]:
    """Which of the last hidden layer's units each target group may read."""
    return is_subset(views[spread_degrees(width, len(views))], targets)
