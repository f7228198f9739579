"""Models on made-up clips of a real shape, ready to be trained: for benchmarks of training."""

import importlib
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from audio.windows import find_windows
from experiments.batches import Batches, moments
from experiments.methods import build
from experiments.steps import Optimizer, State, make_init, make_steps
from experiments.track import Member

FRAMES_PER_CLIP = 313  # ten seconds


def made_up_members(config: Any, num_members: int, num_clips: int) -> list[Member]:
    """Members on clips of normal noise, each with its own."""
    rng = np.random.default_rng(0)
    shape = (num_clips * FRAMES_PER_CLIP, config.logmel.num_mels)
    offsets = np.arange(0, shape[0] + 1, FRAMES_PER_CLIP)
    ids, method = np.zeros(num_clips, np.int64), build(config, 1)
    members = []
    for i in range(num_members):
        frames = 10 * rng.standard_normal(shape, np.float32) - 30
        windows = find_windows(frames, offsets, **config.window.to_dict())
        batches = Batches(windows, ids, config.train.batch_size, seed=i)
        members.append(Member(str(i), method, batches, config, Path("unused")))
    return members


def get_config(name: str) -> Any:
    """`configs/NAME.py`'s config."""
    return importlib.import_module(f"configs.{name}").get_config()


def first_state(members: list[Member], mesh: Mesh) -> State:
    """The members' states before training, along a first axis."""
    states = []
    for member in members:
        frames = member.batches.windows.frames
        init = make_init(member.method, Optimizer.of(member.config.train), mesh)
        states.append(init(member.keys[0], moments(frames)))
    return jax.tree.map(lambda *each: jnp.stack(each), *states)


def program(member: Member, num_frames: int | None, mesh: Mesh) -> Any:
    """The training program, gathering windows of so many frames or given them."""
    optimizer = Optimizer.of(member.config.train)
    return make_steps(member.method.loss, num_frames, optimizer, mesh)
