"""A config with some of its values changed."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from experiments.errors import ConfigError
from experiments.workdir import flatten


def override(config: Any, values: Mapping[str, Any]) -> Any:
    """A copy of a config with other values.

    Args:
        config: is left as it is.
        values: by dotted key, such as `{"model.latent": 8}`.

    Raises:
        ConfigError: a key that the config does not have, or a value of another type.
    """
    other = deepcopy(config)
    known = flatten(other.to_dict())
    for key, value in values.items():
        if key not in known:
            raise ConfigError(f"the config has no {key}")
        try:
            other.update_from_flattened_dict({key: value})
        except (TypeError, ValueError) as error:
            raise ConfigError(f"{key}={value!r}: {error}") from error
    return other


def describe(values: Mapping[str, Any]) -> str:
    """`latent 32, beta 0.01`, from values by dotted key."""
    return ", ".join(f"{key.rpartition('.')[2]} {value}" for key, value in values.items())
