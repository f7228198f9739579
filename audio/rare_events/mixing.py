"""Recipes for mixtures, and the mixing itself."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from audio.rare_events.settings import SPLITS, MixtureSettings
from audio.rare_events.stock import Source, Stock

FADE = 0.1  # seconds in which a background that is repeated fades into its own beginning
PEAK = 0.99  # louder mixtures are made softer as a whole
LEVEL = 0.05  # RMS of a background


@dataclass(frozen=True)
class Recipe:
    """How a mixture is made.

    Attributes:
        target: the class it is for, whether its event is there or not.
        split: `train`, `valid` or `test`.
        index: among those of its class and split.
        background: its source.
        start: where in the background it begins, samples.
        event: the event's source, or None.
        span: which samples of that, (first, after).
        ratio_db: of the event's RMS and the background's in the event's span.
        onset: where the event begins in the mixture, samples.
    """

    target: str
    split: str
    index: int
    background: Source
    start: int
    event: Source | None = None
    span: tuple[int, int] = (0, 0)
    ratio_db: float = 0.0
    onset: int = 0

    @property
    def name(self) -> str:
        """Its file's name."""
        return f"{self.split}_{self.index:05d}.flac"

    @property
    def offset(self) -> int:
        """Where the event ends in the mixture, samples."""
        return self.onset + self.span[1] - self.span[0]


def recipes(stock: Stock, settings: MixtureSettings) -> list[Recipe]:
    """Every mixture of a set: sources with replacement, half of each class with its event."""
    return [
        recipe
        for s, split in enumerate(SPLITS)
        for c, target in enumerate(stock.events[split])
        for recipe in _of_class(stock, settings, split, target, [settings.seed, s, c])
    ]


def _of_class(
    stock: Stock, settings: MixtureSettings, split: str, target: str, seed: list[int]
) -> list[Recipe]:
    rng, count = np.random.default_rng(seed), settings.count(split)
    present = rng.permutation(np.arange(count) % 2 == 0)
    length = int(settings.seconds * settings.sample_rate)
    made = []
    for index in range(count):
        background = _draw(rng, stock.backgrounds[split])
        # Where a longer background fits; a shorter one is repeated, from anywhere.
        room = len(background.signal()) - length
        start = int(rng.integers(room + 1 if room >= 0 else length))
        plain = Recipe(target, split, index, background, start)
        made.append(_with_event(rng, plain, stock, settings, length) if present[index] else plain)
    return made


def _with_event(
    rng: np.random.Generator, plain: Recipe, stock: Stock, settings: MixtureSettings, length: int
) -> Recipe:
    event = _draw(rng, stock.events[plain.split][plain.target])
    first, after = event.spans[rng.integers(len(event.spans))]
    after = min(after, first + length)  # a longer event fills the mixture
    return Recipe(
        plain.target,
        plain.split,
        plain.index,
        plain.background,
        plain.start,
        event,
        (first, after),
        float(rng.choice(settings.ratios_db)),
        int(rng.integers(length - (after - first) + 1)),
    )


def _draw(rng: np.random.Generator, sources: Sequence[Source]) -> Source:
    return sources[int(rng.integers(len(sources)))]


def mix(recipe: Recipe, settings: MixtureSettings) -> np.ndarray:
    """The mixture, (samples,) in [-1, 1].

    The ratio holds in the event's span, whatever the background does elsewhere (DCASE 2017).
    """
    bed, event = parts(recipe, settings)
    total = bed + event
    return total * min(1.0, PEAK / max(float(np.abs(total).max()), 1e-12))


def parts(recipe: Recipe, settings: MixtureSettings) -> tuple[np.ndarray, np.ndarray]:
    """Background and event of a mixture, (samples,) each, before they are added."""
    length = int(settings.seconds * settings.sample_rate)
    fade = int(FADE * settings.sample_rate)
    bed = _bed(recipe.background, recipe.start, length, fade)
    heard = np.zeros(length)
    if recipe.event is not None:
        where = slice(recipe.onset, recipe.offset)
        event = recipe.event.signal()[slice(*recipe.span)].astype(np.float64)
        event -= event.mean()
        level = _rms(bed[where]) * 10 ** (recipe.ratio_db / 20)
        heard[where] = level / max(_rms(event), 1e-12) * event
    return bed, heard


def _bed(background: Source, start: int, length: int, fade: int) -> np.ndarray:
    """What of a background is heard, repeated where it is shorter, its silences left out."""
    signal = background.signal()
    sound = np.concatenate([signal[a:b] for a, b in background.spans]).astype(np.float64)
    sound *= LEVEL / max(_rms(sound), 1e-12)
    fade = min(fade, len(sound) // 2)
    ramp = np.sqrt(np.linspace(0, 1, fade))
    loop = sound[: len(sound) - fade].copy()
    loop[:fade] = ramp * sound[:fade] + ramp[::-1] * sound[len(sound) - fade :]
    return np.resize(np.roll(loop, -start), length)


def _rms(signal: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(signal))))
