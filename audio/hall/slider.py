"""A linear slider: a carriage driven back and forth along a rail, with a stop at each end."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from audio.hall.signals import (
    Modes,
    bump,
    drift,
    harmonics,
    ring,
    shaft_phase,
    shaped_noise,
    strikes,
    through_body,
)
from audio.hall.units import draw_modes, draw_partials, louder_or_softer, near


@dataclass(frozen=True)
class Slider:
    """A slider as it travels today. Levels are amplitudes, times are in seconds.

    Attributes:
        stroke: time from one end to the other and to the next start.
        dwell: share of a stroke spent resting at the end.
        screw: revolutions of the drive per second at full speed.
        screw_partials: (k,) complex amplitudes of the drive's tones.
        rumble_centre: where the rail is loudest, Hz.
        rumble_level: of the rail at full speed.
        stop_height: of the thud at each end.
        rail: resonances of the rail.
        frame: resonances of the frame, struck at the ends.
        pit: height of the click at the rail's damaged spot; 0 on a smooth rail.
        pit_place: where that spot is, as a share of the travel.
        squeal: level of the dry rail's stick-slip tone; 0 when greased.
        squeal_pitch: of that tone, Hz.
        slack: how loose the belt is, from 0 for tight to 1.
    """

    stroke: float
    dwell: float
    screw: float
    screw_partials: np.ndarray
    rumble_centre: float
    rumble_level: float
    stop_height: float
    rail: Modes
    frame: Modes
    pit: float = 0.0
    pit_place: float = 0.5
    squeal: float = 0.0
    squeal_pitch: float = 2500.0
    slack: float = 0.0


class Travel(NamedTuple):
    """A clip's motion: (n,) speed, 1 at its fastest; (s,) starts and durations of strokes."""

    speed: np.ndarray
    starts: np.ndarray
    moving: np.ndarray


def unit(rng: np.random.Generator) -> Slider:
    """One slider of the hall, with its own stroke, drive and rail."""
    return Slider(
        stroke=rng.uniform(0.7, 1.3),
        dwell=rng.uniform(0.08, 0.25),
        screw=rng.uniform(45.0, 90.0),
        screw_partials=draw_partials(rng, 20, slope=3.0),
        rumble_centre=near(rng, 900.0, 0.35),
        rumble_level=0.8,
        stop_height=2.0 * louder_or_softer(rng, 2.0),
        rail=draw_modes(rng, 6, 400.0, 6500.0, quality=15.0),
        frame=draw_modes(rng, 4, 120.0, 1800.0, quality=10.0),
        pit_place=rng.uniform(0.2, 0.8),
        squeal_pitch=rng.uniform(1800.0, 4200.0),
    )


def vary(slider: Slider, rng: np.random.Generator) -> Slider:
    """The same slider in another clip: another load on the carriage."""
    return replace(
        slider,
        stroke=near(rng, slider.stroke, 0.03),
        screw=near(rng, slider.screw, 0.015),
        rumble_level=slider.rumble_level * louder_or_softer(rng, 1.5),
        stop_height=slider.stop_height * louder_or_softer(rng, 2.0),
    )


def travel(slider: Slider, rng: np.random.Generator, num_samples: int, sample_rate: int) -> Travel:
    """The motion of one clip: rest, a smooth run from end to end, rest, and back.

    Within a run the speed is sin^2(pi w) for w from 0 to 1, flattened on top by the drive.

    Returns:
        The clip's speed and the start and duration of each run.
    """
    seconds = np.arange(num_samples) / sample_rate
    count = int(seconds[-1] / (0.8 * slider.stroke)) + 3
    lengths = slider.stroke * (1.0 + 0.01 * rng.standard_normal(count))
    ends = np.cumsum(lengths) - rng.random() * lengths[0]
    starts = ends - (1.0 - slider.dwell) * lengths
    moving = ends - starts
    stroke = np.minimum(np.searchsorted(ends, seconds), count - 1)
    share = np.clip((seconds - starts[stroke]) / moving[stroke], 0.0, 1.0)
    return Travel(np.minimum(1.0, 1.6 * np.sin(np.pi * share) ** 2), starts, moving)


def sound(
    slider: Slider, rng: np.random.Generator, num_samples: int, sample_rate: int
) -> np.ndarray:
    """One clip of the slider.

    Args:
        slider: the slider as it travels in this clip.
        rng: source of the rail's noise and the starting place.
        num_samples: length.
        sample_rate: in Hz.

    Returns:
        (num_samples,) signal.
    """
    size = (num_samples, sample_rate)
    run = travel(slider, rng, *size)
    flutter = (0.004 + 0.1 * slider.slack) * drift(rng, *size, rate=15.0)
    phase = shaft_phase(slider.screw * run.speed * (1.0 + flutter), sample_rate)
    rumble = shaped_noise(rng, *size, lambda f: bump(f, slider.rumble_centre, 1.0))
    total = 0.6 * harmonics(phase, slider.screw_partials, sample_rate)
    total += slider.rumble_level * rumble
    total = run.speed * (total + slider.squeal * _squeal(slider, run, rng, *size))
    thuds, heights = _end_stops(slider, run, rng)
    heard = through_body(total, slider.rail, sample_rate)
    heard += strikes(thuds, heights, ring(slider.frame, sample_rate), *size)
    if slider.pit > 0.0:
        passing = _passing(slider, run)
        heard += strikes(passing, slider.pit, ring(slider.rail, sample_rate), *size)
    return heard


def _end_stops(
    slider: Slider, run: Travel, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Times and heights of the thuds; a slack belt lets the carriage bounce and thud again."""
    ends = run.starts + run.moving
    first = slider.stop_height * (1.0 + 0.15 * rng.standard_normal(len(ends)))
    bounce = ends + 0.055 * (1.0 + 0.1 * rng.standard_normal(len(ends)))
    return np.concatenate([ends, bounce]), np.concatenate([first, 0.8 * slider.slack * first])


def _passing(slider: Slider, run: Travel) -> np.ndarray:
    """When the carriage crosses the pit, going out on even strokes and back on odd ones."""
    out = np.arange(len(run.starts)) % 2 == 0
    share = np.where(out, slider.pit_place, 1.0 - slider.pit_place)
    return run.starts + run.moving * share  # the speed is all but constant between the ends


def _squeal(
    slider: Slider, run: Travel, rng: np.random.Generator, num_samples: int, sample_rate: int
) -> np.ndarray:
    """Stick-slip of a dry rail: a rough tone that comes and goes while the carriage moves."""
    if slider.squeal == 0.0:
        return np.zeros(num_samples)
    wander = drift(rng, num_samples, sample_rate, rate=8.0)
    pitch = slider.squeal_pitch * (0.9 + 0.1 * run.speed) * (1.0 + 0.01 * wander)
    grip = np.clip(drift(rng, num_samples, sample_rate, rate=6.0), 0.0, None)
    return grip * harmonics(shaft_phase(pitch, sample_rate), np.array([1.0, 0.3]), sample_rate)


def rail_damage(slider: Slider, severity: float) -> Slider:
    """A pit in the rail: a click at the same place on every stroke."""
    return replace(slider, pit=7.0 * severity)


def missing_grease(slider: Slider, severity: float) -> Slider:
    """A dry rail: it squeals, and the rumble is rougher."""
    return replace(
        slider,
        squeal=0.35 * severity,
        rumble_centre=slider.rumble_centre * (1.0 + 0.25 * severity),
    )


def loose_belt(slider: Slider, severity: float) -> Slider:
    """A slack belt: the drive's tones flutter, the carriage bounces at the ends."""
    return replace(slider, slack=severity)


FAULTS = {
    "rail_damage": rail_damage,
    "missing_grease": missing_grease,
    "loose_belt": loose_belt,
}
