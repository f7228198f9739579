"""Errors a user can mend."""


class ConfigError(ValueError):
    """The configuration cannot be run; the message is one line that names the key and the mend."""


class MissingWeights(ConfigError):  # noqa: N818
    """Pretrained weights are not where they should be; a study may go on without them."""
