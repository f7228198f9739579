"""What streams are made of: a stock of sounds; and the embedded one, synthetic voices."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from audio.clips import TEST, TRAIN
from audio.hall.units import louder_or_softer
from audio.media_scenes.loudspeaker import draw_loudspeaker, music, played
from audio.media_scenes.passages import KINDS, LIVE, Passage, divided
from audio.media_scenes.room import Room, draw_room, heard_in, recorded
from audio.media_scenes.settings import SceneSettings
from audio.media_scenes.voice import Voice, draw_voice, speak

VOICES = 1  # tells their random numbers from those of streams
SPEECH = 0.05  # amplitude, -26 dB under full scale

Sources = Mapping[str, Mapping[str, Sequence[str]]]


class Stock(Protocol):
    """What streams are made of.

    Attributes:
        sources: split -> kind -> the names of what may be heard; none is in both splits.
        identity: tells one stock from another.
    """

    @property
    def sources(self) -> Sources: ...  # noqa: D102

    @property
    def identity(self) -> str: ...  # noqa: D102

    def render(
        self, rng: np.random.Generator, passages: Sequence[Passage], num_samples: int
    ) -> np.ndarray:
        """The stream of some passages, (num_samples,) within [-1, 1]."""
        ...


class Voices:
    """Synthetic speakers, in the room or on a loudspeaker."""

    def __init__(self, settings: SceneSettings) -> None:
        self.settings = settings
        names = [f"voice_{number:03d}" for number in range(settings.num_voices)]
        train, test = divided(names, settings)
        self.sources: Sources = {
            TRAIN: dict.fromkeys(KINDS, train),
            TEST: dict.fromkeys(KINDS, test),
        }
        self.identity = ""

    def voice(self, name: str) -> Voice:
        """A speaker by name, the same in all streams."""
        number = int(name.removeprefix("voice_"))
        return draw_voice(np.random.default_rng([self.settings.seed, VOICES, number]))

    def render(
        self, rng: np.random.Generator, passages: Sequence[Passage], num_samples: int
    ) -> np.ndarray:
        """All passages in one room, before one microphone."""
        rate = self.settings.sample_rate
        room = draw_room(rng, self.settings.noise_db)
        total = np.zeros(num_samples)
        for passage in passages:
            first, last = round(passage.onset * rate), round(passage.offset * rate)
            make = live if passage.kind == LIVE else media
            total[first:last] = make(rng, room, self.voice(passage.source), last - first, rate)
        return np.clip(recorded(rng, room, total, rate), -1, 1)


def live(
    rng: np.random.Generator, room: Room, voice: Voice, num_samples: int, sample_rate: int
) -> np.ndarray:
    """Somebody in the room, near the microphone or across a table; who also listens for a while."""
    distance, pause = float(0.25 * 4 ** rng.random()), float(0.7 * 4 ** rng.random())
    said = speak(rng, voice, num_samples, sample_rate, pause)
    level = SPEECH * louder_or_softer(rng, 4.0)
    return level * heard_in(rng, room, said, distance, sample_rate)


def media(
    rng: np.random.Generator, room: Room, voice: Voice, num_samples: int, sample_rate: int
) -> np.ndarray:
    """The same kind of voice on a loudspeaker, further away, at times over music."""
    loudspeaker = draw_loudspeaker(rng)
    distance, pause = float(1.5 * 3 ** rng.random()), float(0.6 * 3 ** rng.random())
    programme = speak(rng, voice, num_samples, sample_rate, pause)
    if rng.random() < 0.3:
        programme += rng.uniform(0.05, 0.4) * music(rng, num_samples, sample_rate)
    level = SPEECH * louder_or_softer(rng, 4.0)
    sound = played(programme, loudspeaker, sample_rate)
    return level * heard_in(rng, room, sound, distance, sample_rate)
