"""A solenoid valve: an armature that clicks open, hums while held, and lets air go as it closes."""

from dataclasses import dataclass, replace

import numpy as np

from audio.hall.signals import (
    Modes,
    bump,
    harmonics,
    ring,
    shaft_phase,
    shaped_noise,
    strikes,
    unit_rms,
)
from audio.hall.units import draw_modes, louder_or_softer, near


@dataclass(frozen=True)
class Valve:
    """A valve as it switches today. Heights and levels are amplitudes, times are in seconds.

    Attributes:
        pattern: (p,) times from one opening to the next, repeated with a little scatter.
        held: how long it stays open.
        open_height: of the click as the armature is drawn in.
        close_height: of the click as its spring returns it.
        armature: resonances struck on opening.
        seat: resonances struck on closing.
        hum_level: of the coil while it holds.
        release_level: of the air let go on closing.
        release_decay: time in which that air falls by a factor e.
        release_centre: where it is loudest, Hz.
        delay: how late it closes; 0 when clean.
        scatter: standard deviation of the closing time.
        bounce: height of a second click, as a share of the first; 0 when sound.
        chatter: height of the armature's rattle against its stop while held; 0 when held fast.
        leak: level of air that escapes all the time; 0 when tight.
    """

    pattern: np.ndarray
    held: float
    open_height: float
    close_height: float
    armature: Modes
    seat: Modes
    hum_level: float
    release_level: float
    release_decay: float
    release_centre: float
    delay: float = 0.0
    scatter: float = 0.006
    bounce: float = 0.0
    chatter: float = 0.0
    leak: float = 0.0


def unit(rng: np.random.Generator) -> Valve:
    """One valve of the hall, with its own timing pattern, armature and port."""
    return Valve(
        pattern=rng.uniform(0.45, 1.1, 4),
        held=rng.uniform(0.15, 0.3),
        open_height=louder_or_softer(rng, 2.0),
        close_height=0.8 * louder_or_softer(rng, 2.0),
        armature=draw_modes(rng, 5, 700.0, 6500.0, quality=25.0),
        seat=draw_modes(rng, 5, 300.0, 4500.0, quality=15.0),
        hum_level=0.03 * louder_or_softer(rng, 3.0),
        release_level=0.2 * louder_or_softer(rng, 2.0),
        release_decay=rng.uniform(0.03, 0.07),
        release_centre=rng.uniform(2500.0, 5500.0),
    )


def vary(valve: Valve, rng: np.random.Generator) -> Valve:
    """The same valve in another clip: another pressure, and the controller's own mind."""
    return replace(
        valve,
        pattern=valve.pattern * (1.0 + 0.08 * rng.standard_normal(len(valve.pattern))),
        held=near(rng, valve.held, 0.04),
        open_height=valve.open_height * louder_or_softer(rng, 1.0),
        close_height=valve.close_height * louder_or_softer(rng, 1.0),
        release_level=valve.release_level * louder_or_softer(rng, 1.5),
        release_decay=near(rng, valve.release_decay, 0.1),
    )


def openings(valve: Valve, rng: np.random.Generator, seconds: float) -> np.ndarray:
    """When the valve opens in a clip: its pattern from a random place, scattered by 20 ms.

    Returns:
        (num_events,) seconds, from a little before the clip to its end.
    """
    rounds = int(seconds / valve.pattern.sum()) + 2
    times = np.cumsum(np.tile(valve.pattern, rounds)) - rng.random() * valve.pattern.sum()
    times = times + 0.02 * rng.standard_normal(len(times))
    return times[(times > -0.5) & (times < seconds)]


def sound(valve: Valve, rng: np.random.Generator, num_samples: int, sample_rate: int) -> np.ndarray:
    """One clip of the valve.

    Args:
        valve: the valve as it switches in this clip.
        rng: source of the timing and the air's noise.
        num_samples: length.
        sample_rate: in Hz.

    Returns:
        (num_samples,) signal.
    """
    size = (num_samples, sample_rate)
    opened = openings(valve, rng, num_samples / sample_rate)
    scatter = rng.standard_normal(len(opened))
    closed = opened + valve.held + valve.delay + valve.scatter * scatter
    strength = 1.0 + 0.1 * rng.standard_normal(len(opened))
    air = shaped_noise(rng, *size, lambda f: bump(f, valve.release_centre, 0.7))
    heights = valve.close_height * strength
    total = strikes(opened, valve.open_height, ring(valve.armature, sample_rate), *size)
    total += _rattle(valve, opened, rng, *size)
    total += _closing(valve, closed, heights, *size)
    total += air * (valve.leak + valve.release_level * _release(valve, closed, strength, *size))
    return total + valve.hum_level * _hum(opened, closed, *size)


def _rattle(
    valve: Valve, opened: np.ndarray, rng: np.random.Generator, num_samples: int, sample_rate: int
) -> np.ndarray:
    """A coil that cannot hold: the armature drops and is caught at each half wave of the mains."""
    if valve.chatter == 0.0:
        return np.zeros(num_samples)
    beats = np.arange(0.02, valve.held, 0.01)
    times = (opened[:, None] + beats).ravel()
    heights = valve.chatter * rng.exponential(1.0, len(times))
    return strikes(times, heights, ring(valve.armature, sample_rate), num_samples, sample_rate)


def _closing(
    valve: Valve, closed: np.ndarray, heights: np.ndarray, num_samples: int, sample_rate: int
) -> np.ndarray:
    """The click on the seat, and 45 ms later the bounce of a tired spring."""
    times = np.concatenate([closed, closed + 0.045])
    both = np.concatenate([heights, valve.bounce * heights])
    return strikes(times, both, ring(valve.seat, sample_rate), num_samples, sample_rate)


def _release(
    valve: Valve, closed: np.ndarray, strength: np.ndarray, num_samples: int, sample_rate: int
) -> np.ndarray:
    """Envelope of the air let go: a sudden start and an exponential end."""
    seconds = np.arange(int(6.0 * valve.release_decay * sample_rate)) / sample_rate
    decay = np.exp(-seconds / valve.release_decay)
    return strikes(closed, strength, decay, num_samples, sample_rate)


def _hum(opened: np.ndarray, closed: np.ndarray, num_samples: int, sample_rate: int) -> np.ndarray:
    """The coil's hum, heard while it holds the valve open."""
    mains = shaft_phase(np.full(num_samples, 100.0), sample_rate)
    seconds = np.arange(num_samples) / sample_rate
    count = np.searchsorted(opened, seconds) - np.searchsorted(np.sort(closed), seconds)
    tone = harmonics(mains, np.array([1.0, 0.6, 0.4, 0.3, 0.2]), sample_rate)
    return unit_rms(tone) * (count > 0)


def contamination(valve: Valve, severity: float) -> Valve:
    """Dirt on the seat: it closes late, softly and at uncertain times, and the air lingers."""
    return replace(
        valve,
        delay=0.06 * severity,
        scatter=valve.scatter + 0.03 * severity,
        close_height=valve.close_height * (1.0 - 0.7 * severity),
        release_decay=valve.release_decay * (1.0 + 0.8 * severity),
    )


def tired_spring(valve: Valve, severity: float) -> Valve:
    """A spring that bounces: each closing clicks twice."""
    return replace(valve, bounce=1.1 * severity)


def chatter(valve: Valve, severity: float) -> Valve:
    """A weak coil: the armature rattles while it should be held."""
    return replace(valve, chatter=0.12 * severity)


def leaking_seat(valve: Valve, severity: float) -> Valve:
    """A scored seat: a little air escapes all the time."""
    return replace(valve, leak=0.05 * severity)


FAULTS = {
    "contamination": contamination,
    "tired_spring": tired_spring,
    "chatter": chatter,
    "leaking_seat": leaking_seat,
}
