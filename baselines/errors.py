"""Errors a user can mend."""


class WeightsError(ValueError):
    """Weights are missing or not what they should be; one line that names the file and the mend."""
