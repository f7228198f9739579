"""The six machine types of the hall, each as a few pure functions."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from audio.hall import fan, pump, slider, toy_car, toy_conveyor, valve


class Machine(NamedTuple):
    """A machine type is a few pure functions; `Any` stands for its own dataclass of parameters.

    Attributes:
        unit: rng -> parameters of one unit, as it left the factory.
        vary: parameters, rng -> the same unit as it runs in one clip.
        sound: parameters, rng, num_samples, sample_rate -> (num_samples,) signal.
        faults: by name, parameters, severity -> parameters of the faulty unit.
    """

    unit: Callable[[np.random.Generator], Any]
    vary: Callable[[Any, np.random.Generator], Any]
    sound: Callable[[Any, np.random.Generator, int, int], np.ndarray]
    faults: Mapping[str, Callable[[Any, float], Any]]


MACHINES = {
    "fan": Machine(fan.unit, fan.vary, fan.sound, fan.FAULTS),
    "pump": Machine(pump.unit, pump.vary, pump.sound, pump.FAULTS),
    "slider": Machine(slider.unit, slider.vary, slider.sound, slider.FAULTS),
    "valve": Machine(valve.unit, valve.vary, valve.sound, valve.FAULTS),
    "ToyCar": Machine(toy_car.unit, toy_car.vary, toy_car.sound, toy_car.FAULTS),
    "ToyConveyor": Machine(
        toy_conveyor.unit, toy_conveyor.vary, toy_conveyor.sound, toy_conveyor.FAULTS
    ),
}
