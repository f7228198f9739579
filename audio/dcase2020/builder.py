"""The TFDS builder: one config, and one prepared data set, for each archive."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow_datasets as tfds

from audio.dcase2020.archives import MACHINES, PARTS, Archive
from audio.dcase2020.download import download, md5
from audio.dcase2020.pcm import Pcm16
from audio.dcase2020.progress import Progress, silent
from audio.dcase2020.zipped import clip_names, clip_of, read_clips

UNKNOWN = -1

_log = logging.getLogger(__name__)

VERSION = tfds.core.Version("1.0.0")


class Dcase2020Task2(tfds.core.GeneratorBasedBuilder):
    """Machine sounds of DCASE 2020 Task 2, mono at 16 kHz, about 10 s each.

    A config is a machine type and a part, such as `fan_development`; the part says which of the
    splits `train` and `test` there are. Beside the records, the data set's metadata hold the names
    of the clips of each split and the size and MD5 of the archive they came from, so that listing
    clips reads no audio and a changed archive is noticed.

    The label is -1 where the archive does not tell; `audio.dcase2020.labels` knows more.
    """

    VERSION = VERSION
    BUILDER_CONFIGS = [  # noqa: RUF012 (TFDS reads it from the class)
        tfds.core.BuilderConfig(
            name=Archive(machine, part).name,
            version=VERSION,
            description=f"{machine}, {part} part, Zenodo record {PARTS[part].record}",
        )
        for machine in MACHINES
        for part in PARTS
    ]

    def __init__(
        self, *, archive_path: Path | None = None, progress: Progress = silent, **kwargs: Any
    ) -> None:
        """Constructs the builder.

        Args:
            archive_path: the zip to prepare from; None downloads it.
            progress: opens a progress bar.
            **kwargs: `data_dir` and `config`, as for any builder.
        """
        super().__init__(**kwargs)
        self._archive_path, self._progress = archive_path, progress

    @property
    def archive(self) -> Archive:
        """The archive that this config is made from."""
        assert self.builder_config is not None, "TFDS takes the first config when none is named"
        machine, part = self.builder_config.name.split("_")
        return Archive(machine, part)

    @property
    def contents(self) -> dict[str, Any]:
        """What was prepared: `file`, `bytes`, `changed` and `md5` of the archive, and `names`."""
        metadata = self.info.metadata
        assert isinstance(metadata, tfds.core.MetadataDict), "_info made it one"
        return metadata

    def _info(self) -> tfds.core.DatasetInfo:
        features = tfds.features.FeaturesDict(
            {
                "audio": Pcm16(),
                "machine": tfds.features.Text(),
                "id": tfds.features.Text(),
                "split": tfds.features.Text(),
                "label": tfds.features.ClassLabel(names=["normal", "anomaly"]),
                "name": tfds.features.Text(),
            }
        )
        return tfds.core.DatasetInfo(
            builder=self,
            description="DCASE 2020 Challenge Task 2: anomalous sounds of machines.",
            features=features,
            homepage=f"https://zenodo.org/records/{PARTS['development'].record}",
            license="CC BY-NC-SA 4.0",
            metadata=tfds.core.MetadataDict(),
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        archive = self.archive
        path = self._archive_path or download(
            archive, Path(dl_manager.download_dir), self._progress
        )
        names = clip_names(archive, path)
        self.contents.update(
            file=archive.file,
            bytes=path.stat().st_size,
            changed=path.stat().st_mtime_ns,
            md5=md5(path),
            names=names,
        )
        if self.contents["md5"] != archive.md5:
            _log.warning("%s is not the published file, its MD5 differs; using it as it is", path)
        return {split: self._generate_examples(path, split, names[split]) for split in names}

    def _generate_examples(
        self, path: Path, split: str, names: list[str]
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        machine = self.archive.machine
        for name, samples in read_clips(self.archive, path, split, names, self._progress):
            clip = clip_of(machine, split, name)
            yield (
                name,
                {
                    "audio": samples,
                    "machine": machine,
                    "id": clip.id,
                    "split": split,
                    "label": UNKNOWN if clip.label is None else clip.label,
                    "name": name,
                },
            )

    # TFDS prints these two to standard output; the house logs and draws its own progress.
    def _log_download_bytes(self) -> None:
        pass

    def _log_download_done(self) -> None:
        pass
