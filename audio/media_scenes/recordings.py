"""Somebody's own recordings as the stock of streams."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audio.clips import TEST, TRAIN, DataError
from audio.media_scenes.passages import KINDS, LIVE, MEDIA, Passage, divided
from audio.media_scenes.settings import SceneSettings
from audio.media_scenes.stocks import Sources
from audio.reading import read_signal
from audio.recordings import fingerprint, recordings_under

FADE_SECONDS = 0.02
HEARD = {LIVE: "people in the room", MEDIA: "loudspeakers"}


@dataclass(frozen=True)
class Recordings:
    """Somebody's own recordings: `live/*` and `media/*`, as they are.

    Attributes:
        root: holds both folders.
        settings: of the streams.
        sources: split -> kind -> `kind/name` of its files.
        identity: names, sizes and times of all files.
    """

    root: Path
    settings: SceneSettings
    sources: Sources
    identity: str

    @classmethod
    def find(cls, root: Path, settings: SceneSettings) -> "Recordings":
        """Finds the files, and divides them between train and test.

        Raises:
            DataError: a folder is missing, or holds fewer than two recordings.
        """
        found: dict[str, list[str]] = {}
        for kind in KINDS:
            if not (root / kind).is_dir():
                raise DataError(
                    f"{root / kind} is not there: put recordings of {HEARD[kind]} into it, "
                    "as .wav, .flac or .ogg"
                )
            files = recordings_under(root / kind)
            found[kind] = [path.relative_to(root).as_posix() for path in files]
            if len(found[kind]) < 2:
                raise DataError(
                    f"{root / kind} holds {len(found[kind])} recording(s) as .wav, .flac or .ogg: "
                    "two at least are needed, one to train on and one to test on"
                )
        parted = {kind: divided(names, settings) for kind, names in found.items()}
        sources = {
            split: {kind: parts[which] for kind, parts in parted.items()}
            for which, split in enumerate((TRAIN, TEST))
        }
        every = [root / name for names in found.values() for name in names]
        return cls(root, settings, sources, json.dumps(fingerprint(every, root)))

    def render(
        self, rng: np.random.Generator, passages: Sequence[Passage], num_samples: int
    ) -> np.ndarray:
        """Passages cut from the recordings anywhere; one that ends is begun again.

        Raises:
            DataError: a recording cannot be read.
        """
        rate = self.settings.sample_rate
        total = np.zeros(num_samples)
        for passage in passages:
            first, last = round(passage.onset * rate), round(passage.offset * rate)
            recording = read_signal(self.root / passage.source, rate)
            start = int(rng.integers(len(recording)))
            cut = np.take(recording, np.arange(start, start + last - first), mode="wrap")
            total[first:last] = cut * _fade(last - first, int(FADE_SECONDS * rate))
        return np.clip(total, -1, 1)


def _fade(num_samples: int, length: int) -> np.ndarray:
    """In and out, so that one recording does not begin with a click where another ends."""
    length = max(1, min(length, num_samples // 2))
    place = np.arange(num_samples)
    return np.minimum(np.minimum(place + 1, num_samples - place) / length, 1.0)
