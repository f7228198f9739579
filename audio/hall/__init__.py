"""The synthetic machine hall: six machine types, their factory and their faults, from numpy alone.

The data set of the default run, for those who have no recordings at hand. Each machine is a small
physical model; each fault changes that model, so what is wrong is known, and how badly.
"""

from audio.hall.build import build_hall
from audio.hall.settings import HallSettings

__all__ = ["HallSettings", "build_hall"]
