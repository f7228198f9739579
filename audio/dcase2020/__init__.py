"""DCASE 2020 Challenge Task 2: fetched, verified, and prepared with TensorFlow Datasets.

Importing this package imports TensorFlow; importing `audio.dcase2020` only where it is needed
keeps the other sources quick to start.
"""

from audio.dcase2020.archives import MACHINES, PARTS
from audio.dcase2020.builder import Dcase2020Task2
from audio.dcase2020.prepared import Prepared
from audio.dcase2020.preparing import prepare

__all__ = ["MACHINES", "PARTS", "Dcase2020Task2", "Prepared", "prepare"]
