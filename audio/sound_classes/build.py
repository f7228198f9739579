"""Sounds made up on the spot: events and machines somewhere in a hall or in a street.

Every clip has an event or a machine of its own, no two alike, and a background at a level of its
own, so that a handful of clips of a class do not say what the class sounds like.
"""

import json
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import soundfile

from audio.clips import DataError
from audio.hall.machines import MACHINES
from audio.hall.signals import amplitude, unit_rms
from audio.rare_events.synthetic import BEDS, EVENTS
from audio.whole_folder import Progress, in_threads, whole_folder

RECORD = "sounds.json"
VERSION = 1  # raise it when the same settings begin to sound different
LEVEL = 0.05  # RMS of a clip's background
CEILING = 0.9  # a recordist turns down what would clip
CLASSES = (*EVENTS, *MACHINES)


@dataclass(frozen=True)
class SoundSettings:
    """What is made up.

    Attributes:
        num_clips: of each class.
        seconds: of each clip.
        sample_rate: Hz.
        lowest_snr_db, highest_snr_db: of the sound over its background, while it lasts; uniform
            between them.
        seed: of everything.
    """

    num_clips: int = 40
    seconds: float = 5.0
    sample_rate: int = 16000
    lowest_snr_db: float = -6.0
    highest_snr_db: float = 12.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("num_clips", "seconds", "sample_rate"):
            if not getattr(self, name) > 0:
                raise DataError(f"sounds.{name}={getattr(self, name)!r}: set it above 0")
        if self.lowest_snr_db > self.highest_snr_db:
            raise DataError(
                f"sounds.lowest_snr_db={self.lowest_snr_db} is above sounds.highest_snr_db="
                f"{self.highest_snr_db}: exchange them"
            )

    @property
    def num_sounds(self) -> int:
        """Clips of all classes."""
        return len(CLASSES) * self.num_clips


def synthesise(name: str, index: int, settings: SoundSettings) -> np.ndarray:
    """One clip of a class, the same whenever it is asked for, (samples,) in [-1, 1]."""
    rng = np.random.default_rng([settings.seed, zlib.crc32(name.encode()), index])
    num_samples = round(settings.seconds * settings.sample_rate)
    sound = _sound(name, rng, num_samples, settings.sample_rate)
    bed = BEDS[rng.choice(list(BEDS))](rng, num_samples, settings.sample_rate)
    snr = rng.uniform(settings.lowest_snr_db, settings.highest_snr_db)
    mixed = unit_rms(bed)
    first = rng.integers(num_samples - len(sound) + 1)
    mixed[first : first + len(sound)] += amplitude(snr) * unit_rms(sound)
    mixed *= LEVEL * amplitude(rng.uniform(-6.0, 6.0))
    return (mixed * min(1.0, CEILING / np.abs(mixed).max())).astype(np.float32)


def _sound(name: str, rng: np.random.Generator, num_samples: int, sample_rate: int) -> np.ndarray:
    """What the class is named after, no longer than the clip."""
    if name in EVENTS:
        return EVENTS[name](rng, sample_rate)[:num_samples]
    machine = MACHINES[name]
    return machine.sound(machine.vary(machine.unit(rng), rng), rng, num_samples, sample_rate)


def build_sounds(root: Path, settings: SoundSettings, progress: Progress | None = None) -> Path:
    """Writes the sounds, `<root>/<class>/<number>.wav`, unless they are there already.

    They appear all at once when they are finished, so what is there is whole.

    Args:
        root: the folder to write; its parents are made.
        settings: what to write.
        progress: told how many clips are written, and how many there will be.

    Raises:
        DataError: `root` is there and holds something else, or cannot be written.
    """
    record = json.dumps({"version": VERSION, **asdict(settings)}, indent=2) + "\n"
    if root.exists():
        found = root / RECORD
        if not found.exists() or found.read_text() != record:
            raise DataError(f"{root} holds something else than these sounds; remove it")
        return root
    with whole_folder(root, (root / RECORD).is_file, "sounds") as half:
        for name in CLASSES:
            (half / name).mkdir()
        in_threads(partial(_write_sound, half, settings), _takes(settings), progress)
        (half / RECORD).write_text(record)
    return root


def _write_sound(root: Path, settings: SoundSettings, take: tuple[str, int]) -> None:
    name, index = take
    signal = synthesise(name, index, settings)
    soundfile.write(root / name / f"{index:04d}.wav", signal, settings.sample_rate)


def _takes(settings: SoundSettings) -> Iterator[tuple[str, int]]:
    return ((name, index) for name in CLASSES for index in range(settings.num_clips))
