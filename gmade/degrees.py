"""Degrees: what decides the masks of a MADE, drawn anew or from a list, inside the program.

An ordering ranks the groups; a unit's degree is the highest rank that it may see. Ranks and degrees
count from 0 (Germain et al., "MADE", ICML 2015, eqs. 9 to 13, count from 1).
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int, PRNGKeyArray, UInt


class Degrees(NamedTuple):
    """What decides the masks of a network.

    Attributes:
        groups: `(num_groups,)`, the rank of each group in the ordering, a permutation from 0 on.
        units: for each hidden layer `(width,)`, the highest rank that a unit may see.
    """

    groups: Array
    units: tuple[Array, ...]


def draw_degrees(
    key: PRNGKeyArray, num_groups: int, hidden: Sequence[int], order: Sequence[int] | None = None
) -> Degrees:
    """Draws an ordering and a connectivity (Germain et al., sections 4.2 and 4.3).

    A unit's degree is uniform between the lowest of the layer below, which for the input is 0, and
    the last but one rank: nobody reads the last.

    Args:
        key: of the draw.
        num_groups: groups in a window.
        hidden: units of each hidden layer.
        order: the rank of each group; none for an ordering drawn uniformly from all.

    Returns:
        Degrees; traceable.

    Raises:
        ValueError: the order does not rank each group once.
    """
    if order is not None and sorted(order) != list(range(num_groups)):
        raise ValueError(f"order {tuple(order)} does not rank each of {num_groups} groups once")
    order_key, *keys = jax.random.split(key, 1 + len(hidden))
    ranks = jax.random.permutation(order_key, num_groups) if order is None else jnp.asarray(order)
    units, lowest = [], jnp.asarray(min(0, num_groups - 2))
    for subkey, width in zip(keys, hidden, strict=True):
        units.append(jax.random.randint(subkey, (width,), lowest, num_groups - 1))
        lowest = units[-1].min()
    return Degrees(ranks, tuple(units))


def listed_degrees(
    key: PRNGKeyArray,
    index: int | Int[Array, ""] | UInt[Array, ""],
    num_groups: int,
    hidden: Sequence[int],
    order: Sequence[int] | None = None,
) -> Degrees:
    """Number `index` of the list of degrees that a key stands for; nothing is stored.

    A training step picks its own with `pick_index`; a test replays all with `jax.vmap`.
    """
    return draw_degrees(jax.random.fold_in(key, index), num_groups, hidden, order)


def pick_index(key: PRNGKeyArray, num_masks: int) -> UInt[Array, ""]:
    """A number on a list of so many masks, 0 for a list without end."""
    if not num_masks:
        return jax.random.bits(key)
    return jax.random.randint(key, (), 0, num_masks).astype(jnp.uint32)


class Masks(NamedTuple):
    """Where weights may live, `(rows, columns)` each; rows of inputs and outputs are bins.

    Attributes:
        trunk: of each hidden layer.
        head: of the outputs that read the last hidden layer.
        direct: of the outputs that read the input.
    """

    trunk: list[Bool[Array, "inputs units"]]
    head: Bool[Array, "units outputs"]
    direct: Bool[Array, "inputs outputs"]


def masks(degrees: Degrees, group_size: int) -> Masks:
    """The masks of a network, comparisons of ranks and degrees (Germain et al., eqs. 12, 13)."""
    ranks = jnp.repeat(degrees.groups, group_size)
    trunk = [low[:, None] <= high[None] for low, high in pairwise([ranks, *degrees.units])]
    return Masks(trunk, degrees.units[-1][:, None] < ranks[None], ranks[:, None] < ranks[None])
