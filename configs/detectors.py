r"""The detectors of rare events side by side, on the same mixtures and on one page.

    python -m experiments.run --config=configs/detectors.py
    python -m experiments.run --config=configs/detectors.py --config.data.root=DIR

DIR holds your own recordings: events/<class>/* and backgrounds/*.
"""

from ml_collections import ConfigDict

from configs import attention, detection, detection_baseline, rcrnn


def get_config() -> ConfigDict:
    """Returns the experiment; a detector is a line."""
    config = detection.defaults()
    config.method = "detectors"
    for section in ("logmel", "window", "train", "score"):
        del config[section]
    config.members = ConfigDict(
        dict(
            rcrnn=rcrnn.get_config(),
            attention=attention.get_config(),
            baseline=detection_baseline.get_config(),
        )
    )
    return config
