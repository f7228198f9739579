"""What a trained density thinks its machines sound like: samples to look at and to listen to."""

import io
import statistics
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from audio.clips import NORMAL, Clip
from audio.invert import invert, peak_normalised
from audio.logmel import LogMel, mel_frequencies
from audio.logmels import LogMels, assemble
from audio.wav import encode_wav
from experiments import workdir as work
from experiments.data import Machine, Split, load_data, windows_of
from experiments.errors import ConfigError
from experiments.members import member_of
from experiments.method import Batch, Method, Variables
from experiments.methods import build
from experiments.progress import Progress
from experiments.rehearsal import rehearsed
from experiments.score import score_clips
from experiments.slide import draw_sequences
from experiments.track import restore
from scoring.files import write_bytes
from scoring.likeness import Likeness, format_likeness, likeness
from scoring.samples import Pair, Sampled, Shown, write_page


def sample(config: Any, workdir: Path, num_samples: int, seconds: float | None) -> Path:
    """Draws from the models of a work directory, and writes what there is to see and hear.

    Args:
        config: the experiment that was trained there.
        workdir: where it was trained; all goes into its `samples/`.
        num_samples: of each id of each machine.
        seconds: how long each is; None for as long as the machine's train clips.

    Returns:
        `samples/index.html`.

    Raises:
        ConfigError, DataError: what a user can mend.
    """
    _check(config, workdir, num_samples)
    settings = LogMel(**config.logmel.to_dict())
    data = rehearsed(load_data(config), config.data.rehearsal)
    machines = [_restored(machine, config, workdir) for machine in data.machines]
    shown = []
    for each in machines:
        length = _length(each.machine.train.mine, seconds, settings, config.window.num_frames)
        shown.append(_sampled(each, config, workdir / "samples", num_samples, length))
        print(f"\n{each.machine.name}\n{format_likeness(shown[-1].lines)}", flush=True)
    hop_seconds, mel_hz = settings.hop_length / settings.sample_rate, mel_frequencies(settings)
    title = f"{workdir.name}: sampled"
    return write_page(workdir / "samples", title, shown, hop_seconds, mel_hz)


def _check(config: Any, workdir: Path, num_samples: int) -> None:
    """Checks all that can be checked before any data is loaded."""
    if num_samples < 1:
        raise ConfigError(f"--num_samples={num_samples} must be 1 or more")
    if jax.process_count() > 1:
        raise ConfigError("--mode=sample is for one process: leave out --distributed and the like")
    if config.method != "gmade":
        raise ConfigError(
            f"--mode=sample: only a density can be sampled, and config.method={config.method!r} is "
            "none; use configs/gmade_causal.py"
        )
    if build(config, num_ids=2).sample is None:
        model = config.model
        raise ConfigError(
            "--mode=sample draws a window's last frame given all those before it, which model."
            f"ordering={model.ordering!r} with model.train_frames={tuple(model.train_frames)} does "
            "not model; use model.ordering=causal as configs/gmade_causal.py does"
        )
    work.check(workdir, config)
    if not (workdir / "config.json").exists():
        raise _untrained(workdir)


def _untrained(where: Path) -> ConfigError:
    return ConfigError(
        f"{where} holds no checkpoint: train it first: the same command without --mode=sample"
    )


class _Restored(NamedTuple):
    """A machine and what was learned of it."""

    machine: Machine
    method: Method
    variables: Variables


def _restored(machine: Machine, config: Any, workdir: Path) -> _Restored:
    member = member_of(machine, config, workdir)
    done, variables = restore(member)
    if not done:
        raise _untrained(member.workdir)
    if done < member.num_steps:
        print(f"{machine.name}: trained for {done} of {member.num_steps} steps so far")
    return _Restored(machine, member.method, variables)


def _length(clips: LogMels, seconds: float | None, settings: LogMel, shortest: int) -> int:
    """Frames of a sample."""
    if seconds is None:
        return int(statistics.median_low(clips.num_frames.tolist()))
    length = 1 + int(seconds * settings.sample_rate) // settings.hop_length
    if length < shortest:
        raise ConfigError(f"--sample_seconds={seconds} is shorter than a window, {shortest} frames")
    return length


def _sampled(
    restored: _Restored, config: Any, folder: Path, num_samples: int, length: int
) -> Sampled:
    """Samples of one machine, written, beside as many of its train clips."""
    (machine, method, variables), train = restored, restored.machine.train
    assert method.sample is not None
    beside = _spread(train, len(machine.ids), num_samples)
    windows = np.stack([train.mine.clip(i)[: config.window.num_frames] for i in beside])
    with Progress(f"{machine.name}: sampling", length, "frame") as progress:
        key, ids = jax.random.key(config.seed), train.ids[beside]
        update = progress.update
        drawn = draw_sequences(method.sample, variables, key, windows, ids, length, update)
    kept = (drawn[:, : windows.shape[1]] == windows).all((0, 2)).sum()
    note = f"Samples begin with {kept} frames of the clips beside them, which are not modelled."
    samples = _as_split(machine, ids, drawn)
    lines = _lines(restored, samples, config)
    settings = LogMel(**config.logmel.to_dict())
    pairs = list(_pairs(machine, beside, samples, settings, folder))
    if kept:
        print(f"{machine.name}: {note}")
    return Sampled(machine.name, pairs, lines, note if kept else "")


def _spread(train: Split, num_ids: int, count: int) -> np.ndarray:
    """So many train clips of each id, from the first to the last: (num_ids * count,)."""
    of_ids = [np.flatnonzero(train.ids == id_) for id_ in range(num_ids)]
    return np.concatenate(
        [own[np.linspace(0, len(own) - 1, count).round().astype(int)] for own in of_ids]
    )


def _as_split(machine: Machine, ids: np.ndarray, drawn: np.ndarray) -> Split:
    """Samples as clips, `<machine>_id_<id>_<i>.npy`."""
    count = len(ids) // len(machine.ids)
    clips = tuple(
        Clip(machine.name, machine.ids[id_], "sampled", None, _name(machine, id_, i % count))
        for i, id_ in enumerate(ids)
    )
    return Split(clips, assemble(clips, list(drawn)), np.arange(len(clips)), ids)


def _name(machine: Machine, id_: int, i: int) -> str:
    return f"{machine.name}_id_{machine.ids[id_]}_{i}.npy"


def _lines(restored: _Restored, samples: Split, config: Any) -> list[Likeness]:
    """The numbers of train clips, normal test clips and samples, id by id."""
    machine, method, variables = restored
    kinds = {"train": machine.train}
    normal = np.array([clip.label == NORMAL for clip in machine.test.mine.clips], bool)
    if normal.any():
        kinds["test, normal"] = machine.test.part(normal)
    kinds["sampled"] = samples
    asked = method._replace(score=_surprise(method))
    nats = {
        kind: score_clips(
            asked,
            variables,
            windows_of(split.mine, config),
            split.ids,
            "mean",
            config.score.batch_size,
            f"{machine.name}: {kind}",
        )
        for kind, split in kinds.items()
    }
    return [
        likeness(
            id_,
            kind,
            _clips(kinds[kind], i),
            float(nats[kind][kinds[kind].ids == i].mean()),
            None if kind == "train" else _clips(machine.train, i),
        )
        for i, id_ in enumerate(machine.ids)
        for kind in kinds
        if (kinds[kind].ids == i).any()
    ]


def _clips(split: Split, id_: int) -> list[np.ndarray]:
    return [split.mine.clip(int(i)) for i in np.flatnonzero(split.ids == id_)]


@cache
def _surprise(method: Method) -> Any:
    """`(variables, batch) -> (batch,)`, nats a bin, as training logs them."""

    def surprise(variables: Variables, batch: Batch) -> jax.Array:
        return jnp.nanmean(method.explain(variables, batch), axis=(1, 2))

    return surprise


def _pairs(
    machine: Machine, beside: Sequence[int] | np.ndarray, samples: Split, settings: LogMel, to: Path
) -> Iterator[Pair]:
    """Each sample, written as log-mel and as sound, with a real clip."""
    with Progress(f"{machine.name}: to sound", 2 * len(beside), "clip") as progress:
        for i, real in enumerate(beside):
            clip, logmel = samples.clips[i], samples.mine.clip(i)
            sampled = Shown(clip.name, logmel, _wav(logmel, settings))
            buffer = io.BytesIO()
            np.save(buffer, logmel.astype(np.float16))
            write_bytes(to / clip.name, buffer.getvalue())
            write_bytes((to / clip.name).with_suffix(".wav"), sampled.audio)
            logmel = machine.train.mine.clip(int(real))
            name = machine.train.mine.clips[int(real)].name
            yield Pair(clip.id, Shown(name, logmel, _wav(logmel, settings)), sampled)
            progress.update(2 * (i + 1))


def _wav(logmel: np.ndarray, settings: LogMel) -> bytes:
    return encode_wav(peak_normalised(invert(logmel, settings)), settings.sample_rate)
