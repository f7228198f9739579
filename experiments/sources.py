"""From a config's `data` section to clips and the way to read them."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from audio import dcase2020, folder, hall, media_scenes, rare_events, sound_classes
from audio.clips import Clip
from audio.recordings import files_under, fingerprint
from experiments.errors import ConfigError
from experiments.processes import is_main, wait
from experiments.progress import Progress


@dataclass(frozen=True)
class Source:
    """Where clips come from.

    Attributes:
        clips: all of them.
        signals: how to read them where they are not plain files (see `audio.pipeline.load`).
        identity: name and version of what `signals` reads.
        annotated: (machine, name) -> what is known of a clip's event; of mixtures only.
    """

    clips: list[Clip]
    signals: Callable[..., Any] | None = None
    identity: str = ""
    annotated: Mapping[tuple[str, str], rare_events.Annotated] = field(default_factory=dict)


def open_source(config: Any) -> Source:
    """Finds the clips a config names.

    Builds the machine hall, or downloads and prepares DCASE 2020, where that is asked for and has
    not been done before.

    Raises:
        ConfigError, DataError: what a user can mend.
    """
    data = config.data
    if data.source not in OPENERS:
        raise ConfigError(f"data.source={data.source!r} is not known: use {', '.join(OPENERS)}")
    return OPENERS[data.source](config)


def _open_hall(config: Any) -> Source:
    return Source(folder.list_clips(_machine_hall(config), asked_machines(config.data)))


def _open_folder(config: Any) -> Source:
    data = config.data
    if not data.root:
        raise ConfigError("data.source=folder needs the clips' directory: --config.data.root=DIR")
    root = Path(data.root).expanduser()
    return Source(folder.list_clips(root, asked_machines(data), data.num_held_out))


def _open_dcase2020(config: Any) -> Source:
    data = config.data
    prepared = dcase2020.prepare(
        asked_machines(data),
        tuple(data.parts),
        Path(data.root).expanduser() if data.root else None,
        cache_dir(data) / "tfds",
        Path(data.labels).expanduser() if data.labels else None,
        Progress,
    )
    return Source(prepared.clips, prepared.signals, prepared.identity)


def _needs(config: Any, section: str, example: str) -> None:
    if section not in config:
        raise ConfigError(
            f"data.source={config.data.source} needs a config with `{section}`, such as "
            f"configs/{example}.py"
        )


def _open_rare_events(config: Any) -> Source:
    _needs(config, "mixtures", "rcrnn")
    every = rare_events.list_mixtures(_mixtures(config), asked_machines(config.data))
    annotated = {(each.clip.machine, each.clip.name): each for each in every}
    return Source([each.clip for each in every], annotated=annotated)


def _open_sound_classes(config: Any) -> Source:
    data = config.data
    if not data.root and "sounds" not in config:
        raise ConfigError("data.source=sound_classes needs its folder: --config.data.root=DIR")
    root = Path(data.root).expanduser() if data.root else _made_up_sounds(config)
    return Source(sound_classes.list_sounds(root))


def _open_media_scenes(config: Any) -> Source:
    """Streams as clips of one machine; who is heard when stands in a table beside them."""
    _needs(config, "scenes", "media")
    rate = config.logmel.sample_rate
    settings = media_scenes.SceneSettings(**config.scenes.to_dict(), sample_rate=rate)
    root = Path(config.data.root).expanduser() if config.data.root else None
    stock, parent = media_scenes.stock_of(settings, root), cache_dir(config.data)
    if is_main():
        with Progress("streams", settings.num_train + settings.num_test, "stream") as progress:
            media_scenes.build_scenes(
                parent, settings, stock, lambda done, _: progress.update(done)
            )
    wait("media scenes")
    streams = media_scenes.build_scenes(parent, settings, stock)
    passages = media_scenes.read_annotations(streams / media_scenes.ANNOTATIONS)
    return Source(
        [Clip("media", "00", split, None, name, streams / split / name) for split, name in passages]
    )


OPENERS = {
    "synthetic": _open_hall,
    "folder": _open_folder,
    "dcase2020": _open_dcase2020,
    "rare_events": _open_rare_events,
    "sound_classes": _open_sound_classes,
    "media_scenes": _open_media_scenes,
}


def asked_machines(data: Any) -> tuple[str, ...]:
    """The machines a config names, from `"fan,pump"` or `("fan", "pump")`; none means all."""
    names = data.machines or ()
    return tuple(names.split(",")) if isinstance(names, str) else tuple(names)


def cache_dir(data: Any) -> Path:
    """Where prepared data is kept between runs."""
    if data.cache_dir:
        return Path(data.cache_dir).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "gmade"


def _machine_hall(config: Any) -> Path:
    settings = hall.HallSettings(**config.hall.to_dict())
    if config.data.root:
        root = Path(config.data.root).expanduser()
    else:
        digest = hashlib.sha256(json.dumps(config.hall.to_dict(), sort_keys=True).encode())
        root = cache_dir(config.data) / f"machine_hall-{digest.hexdigest()[:8]}"
    if is_main():
        total = (
            len(settings.machines)
            * settings.num_ids
            * (settings.num_train + settings.num_normal + settings.num_anomaly)
        )
        with Progress("machine hall", total, "clip") as progress:
            hall.build_hall(root, settings, lambda done, _: progress.update(done))
    wait("machine hall")
    return root


def _mixtures(config: Any) -> Path:
    """The folder of mixtures: the user's own, or one that is made in the cache."""
    data = config.data
    recordings = Path(data.root).expanduser() if data.root else None
    if recordings and (recordings / rare_events.ANNOTATIONS).is_file():
        return recordings
    settings = rare_events.MixtureSettings(
        classes=asked_machines(data),
        sample_rate=config.logmel.sample_rate,
        **config.mixtures.to_dict(),
    )
    own = fingerprint(files_under(recordings), recordings) if recordings else []
    described = json.dumps([rare_events.VERSION, asdict(settings), own])
    digest = hashlib.sha256(described.encode()).hexdigest()[:8]
    root = cache_dir(data) / f"rare_events-{digest}"
    if is_main() and not root.exists():
        everything = rare_events.plan_mixtures(settings, recordings)
        with Progress("mixtures", len(everything), "clip") as progress:
            rare_events.build_mixtures(
                root, everything, settings, lambda done, _: progress.update(done)
            )
    wait("mixtures")
    return root


def _made_up_sounds(config: Any) -> Path:
    """The folder of sounds that are made up in the cache."""
    settings = sound_classes.SoundSettings(**config.sounds.to_dict())
    digest = hashlib.sha256(json.dumps(config.sounds.to_dict(), sort_keys=True).encode())
    root = cache_dir(config.data) / f"sounds-{digest.hexdigest()[:8]}"
    if is_main():
        with Progress("sounds", settings.num_sounds, "clip") as progress:
            sound_classes.build_sounds(root, settings, lambda done, _: progress.update(done))
    wait("sounds")
    return root
