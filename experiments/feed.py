"""What training is fed: log-mels that live on the device, or windows that stream in.

Either way the same windows come, bit for bit. A device that has room for the log-mels is only told
where windows start, and gathers them itself.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding
from jax.sharding import PartitionSpec as P
from jaxtyping import Array

from audio.stream import stream_windows
from experiments.batches import Batches
from experiments.method import Batch
from experiments.processes import gather

DEVICES = ("process", "device")


def device_mesh() -> Mesh:
    """All devices: processes one way, each one's own devices the other."""
    shape = (jax.process_count(), jax.local_device_count())
    return jax.make_mesh(shape, DEVICES, axis_types=(AxisType.Auto,) * 2)


def fits(members: Sequence[Batches], budget_gb: float) -> bool:
    """Whether the log-mels of all members together fit on a device, by a budget."""
    local = sum(member.windows.frames.nbytes for member in members)
    return int(gather(np.array(local)).max()) <= budget_gb * 1e9


def put_frames(members: Sequence[Batches], mesh: Mesh) -> jax.Array:
    """Each member's frames, on every device of their process: (members, processes, frames, mels).

    The shorter ones are filled up with zeros that no window reaches.
    """
    every = [member.windows.frames for member in members]
    longest = int(gather(np.array(max(map(len, every)))).max())
    frames = np.zeros((len(members), 1, longest, every[0].shape[1]), every[0].dtype)
    for filled, own in zip(frames, every, strict=True):
        filled[0, : len(own)] = own
    sharding = NamedSharding(mesh, P(None, "process"))
    return jax.make_array_from_process_local_data(sharding, frames)


def gather_windows(mesh: Mesh, num_frames: int) -> Callable[[jax.Array, Batch], Batch]:
    """`(frames (processes, frames, mels), {"start", …}) -> {"x", …}`, on every device."""

    @partial(jax.shard_map, mesh=mesh, in_specs=(P("process"), P(DEVICES)), out_specs=P(DEVICES))
    def windows(frames: jax.Array, starts: Array | np.ndarray) -> jax.Array:
        return frames[0][starts[:, None] + jnp.arange(num_frames)]

    def gathered(frames: jax.Array, batch: Batch) -> Batch:
        labels = {name: each for name, each in batch.items() if name != "start"}
        return {"x": windows(frames, batch["start"]), **labels}

    return gathered


def resident_calls(
    members: Sequence[Batches], firsts: Iterable[Sequence[int]], num_steps: int, mesh: Mesh
) -> Iterator[Batch]:
    """For each call: where every member's windows start in its frames, and what they are.

    Args:
        members: what each member is trained on.
        firsts: for each call, every member's first step.
        num_steps: steps in a call.
        mesh: the devices.

    Yields:
        `{"start", "id", …}`, (num_steps, members, batch, …) each, divided among the devices.
    """
    for steps in firsts:
        chosen = [
            member.chosen(step, num_steps) for member, step in zip(members, steps, strict=True)
        ]
        starts = [m.windows.starts[which] for m, which in zip(members, chosen, strict=True)]
        labels = [m.labels(which) for m, which in zip(members, chosen, strict=True)]
        stacked = {name: np.stack([each[name] for each in labels], 1) for name in labels[0]}
        yield _put({"start": np.stack(starts, 1).astype(np.int32), **stacked}, mesh)


def streamed_calls(
    member: Batches, firsts: Sequence[int], num_steps: int, mesh: Mesh
) -> Iterator[Batch]:
    """As `resident_calls`, of one member, with the windows themselves in place of their starts."""

    def requests() -> Iterator[np.ndarray]:
        return (member.chosen(step, num_steps) for step in firsts)

    for chosen, x in zip(requests(), stream_windows(member.windows, requests), strict=True):
        labels = {name: each[:, None] for name, each in member.labels(chosen).items()}
        yield _put({"x": x[:, None], **labels}, mesh)


def _put(batches: dict[str, np.ndarray], mesh: Mesh) -> Batch:
    sharding = NamedSharding(mesh, P(None, None, DEVICES))
    return {
        name: jax.make_array_from_process_local_data(sharding, each)
        for name, each in batches.items()
    }
