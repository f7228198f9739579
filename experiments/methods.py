"""The switchboard: from a config to the method it names."""

from functools import cache
from typing import Any

from experiments import (
    autoencoder_method,
    embedding_method,
    gmade_method,
    sound_method,
    ssl_method,
)
from experiments.errors import ConfigError
from experiments.method import Method

BUILDERS = {
    "autoencoder": autoencoder_method.build,
    "embedding": embedding_method.build,
    "gmade": gmade_method.build,
    "ssl": ssl_method.build,
    "tritraining": sound_method.build,
}


def build(config: Any, num_ids: int) -> Method:
    """The method a config names, for a machine with so many ids.

    The same settings give the same functions, so that machines of one shape compile once.

    Raises:
        ConfigError: no such method, or settings that cannot be built.
    """
    if config.method not in BUILDERS:
        raise ConfigError(f"method={config.method!r} is not known: use {', '.join(BUILDERS)}")
    sections = {**config.model.to_dict(), **config.window.to_dict(), **config.logmel.to_dict()}
    settings = tuple(sorted((key, _freeze(value)) for key, value in sections.items()))
    return _build(config.method, settings, num_ids)


@cache
def _build(name: str, settings: tuple[tuple[str, Any], ...], num_ids: int) -> Method:
    return BUILDERS[name](dict(settings), num_ids)


def _freeze(value: Any) -> Any:
    return tuple(map(_freeze, value)) if isinstance(value, list | tuple) else value
