"""The work directory: one experiment's files, and the promise that they are of one config."""

import json
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict

from experiments.errors import ConfigError
from scoring.files import write_text

MAX_KEYS_NAMED = 6


def flatten(config: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested sections to `{"train.num_epochs": 12, ...}`."""
    flat: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def claim(workdir: Path, config: ConfigDict) -> None:
    """Makes a directory this config's own."""
    workdir.mkdir(parents=True, exist_ok=True)
    write_text(workdir / "config.json", json.dumps(_plain(config), indent=2) + "\n")


def check(workdir: Path, config: ConfigDict) -> None:
    """Checks that a directory is free, or is this config's own. Writes nothing.

    Raises:
        ConfigError: it holds another config (the keys that differ are named), or it is a file.
    """
    if workdir.exists() and not workdir.is_dir():
        raise ConfigError(f"--workdir={workdir} is a file; name a directory")
    path = workdir / "config.json"
    if path.exists():
        _check_same(path, _plain(config))


def is_finished(workdir: Path, config: ConfigDict) -> bool:
    """Whether a directory holds all results of an experiment with this very config."""
    path = workdir / "config.json"
    if not (path.exists() and (workdir / "scores.csv").exists()):
        return False
    try:
        return (workdir / "report.html").exists() and json.loads(path.read_text()) == _plain(config)
    except json.JSONDecodeError:
        return False


def _plain(config: ConfigDict) -> dict[str, Any]:
    return json.loads(json.dumps(config.to_dict()))


def _check_same(path: Path, wanted: dict[str, Any]) -> None:
    try:
        held = flatten(json.loads(path.read_text()))
    except json.JSONDecodeError as error:
        raise ConfigError(f"{path} is not readable ({error}); use another --workdir") from error
    asked = flatten(wanted)
    keys = [key for key in sorted(held | asked) if held.get(key) != asked.get(key)]
    if not keys:
        return
    differ = [f"{key} (there {held.get(key)!r}, here {asked.get(key)!r})" for key in keys]
    more = f" and {len(keys) - MAX_KEYS_NAMED} more" if len(keys) > MAX_KEYS_NAMED else ""
    raise ConfigError(
        f"{path.parent} holds another config: {', '.join(differ[:MAX_KEYS_NAMED])}{more} differ; "
        "use another --workdir, or delete that one"
    )
