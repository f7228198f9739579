"""Rare events: 30 s mixtures, half of them with one target event, as in DCASE 2017's second task.

The recipe is that of Mesaros et al., "DCASE 2017 challenge setup" (2017), section 4: backgrounds
and isolated events are drawn with replacement and mixed at a drawn ratio of their levels. What is
mixed is made up here, or comes from a folder of one's own.
"""

from audio.rare_events.build import ANNOTATIONS, VERSION, build_mixtures, plan_mixtures
from audio.rare_events.listing import Annotated, Event, list_mixtures
from audio.rare_events.settings import MixtureSettings

__all__ = [
    "ANNOTATIONS",
    "VERSION",
    "Annotated",
    "Event",
    "MixtureSettings",
    "build_mixtures",
    "list_mixtures",
    "plan_mixtures",
]
