"""Sounds of several classes, a folder each: what a classifier of whole clips is taught with.

A folder of one's own, `<root>/<class>/*.{wav,flac,ogg,npy}`, or sounds that are made up here.
"""

from audio.sound_classes.build import SoundSettings, build_sounds
from audio.sound_classes.length import of_length
from audio.sound_classes.listing import list_sounds

__all__ = ["SoundSettings", "build_sounds", "list_sounds", "of_length"]
