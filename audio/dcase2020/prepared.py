"""The clips of prepared data sets, and their signals."""

import hashlib
from collections.abc import Sequence
from functools import reduce
from pathlib import Path

import tensorflow as tf
import tensorflow_datasets as tfds

from audio.clips import Clip, DataError
from audio.dcase2020.builder import VERSION, Dcase2020Task2
from audio.dcase2020.labels import with_labels
from audio.dcase2020.pcm import Pcm16
from audio.dcase2020.zipped import clip_of

FULL_SCALE = 32768.0
NUM_MELS = 128


class Prepared:
    """Clips that lie in prepared data sets.

    Attributes:
        clips: all of them, by machine type, split and name; `path` is None.
        identity: changes whenever a recording does; for the keys of caches.
    """

    def __init__(self, builders: list[Dcase2020Task2], labels: Path | None = None) -> None:
        """Lists the clips of prepared builders.

        Args:
            builders: prepared builders, one per archive.
            labels: the evaluator's label file, for clips that carry no label.

        Raises:
            DataError: the label file cannot be used, or a clip is in two parts.
        """
        self._home: dict[tuple[str, str, str], Dcase2020Task2] = {}
        clips = []
        for builder in builders:
            for split, names in builder.contents["names"].items():
                for name in names:
                    clips.append(clip_of(builder.archive.machine, split, name))
                    self._settle(clips[-1], builder)
        clips.sort(key=_key)
        self.clips = with_labels(clips, labels) if labels else clips
        contents = sorted(f"{b.archive.name} {b.contents['md5']}" for b in builders)
        self.identity = hashlib.sha256(f"{VERSION} {contents}".encode()).hexdigest()

    def signals(self, clips: Sequence[Clip], num_mels: int = NUM_MELS) -> tf.data.Dataset:
        """Returns the recordings of some of the clips, in any order.

        Args:
            clips: what to read; each is among `self.clips`.
            num_mels: width of the empty log-mel.

        Returns:
            elements `index`, int64: position in `clips`; `signal`, float32 (T,) in [-1, 1);
            `logmel`, float32 (0, num_mels): none; `error`, string: empty.
        """
        groups: dict[tuple[str, str], dict[str, int]] = {}
        for index, clip in enumerate(clips):
            archive = self._home[_key(clip)].archive
            groups.setdefault((archive.name, clip.split), {})[clip.name] = index
        builders = {builder.archive.name: builder for builder in self._home.values()}
        # An empty data set gives the elements their type when no clip is asked for.
        nothing = {"index": tf.constant(0, tf.int64), "signal": tf.zeros(0)}
        recordings = reduce(
            lambda all_before, group: all_before.concatenate(group),
            [_read(builders[name], split, group) for (name, split), group in groups.items()],
            tf.data.Dataset.from_tensors(nothing).take(0),
        )
        rest = {"logmel": tf.zeros((0, num_mels)), "error": tf.constant("")}
        return recordings.map(lambda recording: {**recording, **rest})

    def _settle(self, clip: Clip, builder: Dcase2020Task2) -> None:
        other = self._home.setdefault(_key(clip), builder)
        if other is not builder:
            raise DataError(
                f"{clip.machine} {clip.split}/{clip.name} is both in {other.archive.file} and in"
                f" {builder.archive.file}; one of them is not the published file"
            )


def _read(builder: Dcase2020Task2, split: str, positions: dict[str, int]) -> tf.data.Dataset:
    """Returns `index` and `signal` of the clips of one split whose names are given positions."""
    names = tf.constant(list(positions))
    table = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(names, tf.constant(list(positions.values()), tf.int64)),
        default_value=-1,
    )
    audio = Pcm16()
    packed = builder.as_dataset(
        split=split,  # pyright: ignore[reportCallIssue] (a decorator hides the parameters)
        shuffle_files=False,
        read_config=tfds.ReadConfig(try_autocache=False, skip_prefetch=True),
        # The audio is unpacked only after other clips have been passed over.
        decoders={"audio": tfds.decode.SkipDecoding()},
    )
    wanted = packed.map(lambda clip: {"index": table.lookup(clip["name"]), "audio": clip["audio"]})
    wanted = wanted.filter(lambda clip: clip["index"] >= 0).take(len(positions))
    return wanted.map(
        lambda clip: {
            "index": clip["index"],
            "signal": tf.cast(audio.decode_example(clip["audio"]), tf.float32) / FULL_SCALE,
        },
        num_parallel_calls=tf.data.AUTOTUNE,
    )


def _key(clip: Clip) -> tuple[str, str, str]:
    return clip.machine, clip.split, clip.name
