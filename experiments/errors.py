"""Errors a user can mend."""


class ConfigError(ValueError):
    """The configuration cannot be run; the message is one line that names the key and the mend."""


class Missing(ConfigError):  # noqa: N818
    """What a method needs beyond clips of any kind is not there; a study may go on without it."""


class MissingWeights(Missing):
    """Pretrained weights are not where they should be."""


class MissingSound(Missing):
    """Clips are ready log-mels, and the method hears sound."""
