"""Errors a user can mend."""


class ConfigError(ValueError):
    """The configuration cannot be run; the message is one line that names the key and the mend."""
