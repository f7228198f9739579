"""Streams of speech in which people in the room take turns with loudspeakers.

Either of two stocks: embedded, from numpy alone, or somebody's own recordings of both kinds.
"""

from audio.media_scenes.build import ANNOTATIONS, build_scenes, stock_of
from audio.media_scenes.passages import LIVE, MEDIA, Passage, media_shares, read_annotations
from audio.media_scenes.settings import SceneSettings

__all__ = [
    "ANNOTATIONS",
    "LIVE",
    "MEDIA",
    "Passage",
    "SceneSettings",
    "build_scenes",
    "media_shares",
    "read_annotations",
    "stock_of",
]
