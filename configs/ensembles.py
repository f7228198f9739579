"""How configs are put together to an ensemble or a study: what they share is said once."""

from ml_collections import ConfigDict
from ml_collections.config_dict import placeholder

from configs import defaults

SHARED = ("seed", "data", "hall", "logmel", "report")


def ensemble_of(**members: ConfigDict | dict[str, ConfigDict]) -> ConfigDict:
    """An ensemble's config.

    Args:
        members: a config each, or the variants of one by name, which speak with one voice.
    """
    config = ConfigDict({key: defaults.get_config()[key] for key in SHARED})
    config.method = "ensemble"
    config.combine = "mean"  # of the members' standardised scores, in scores.csv; max; or none
    config.on_missing = "error"  # where a member lacks pretrained weights, or sound; or skip it
    config.scores = placeholder(str)  # more members: "NAME=scores.csv,NAME=scores.csv"
    config.members = ConfigDict()
    for name, member in members.items():
        if isinstance(member, ConfigDict):
            config.members[name] = own(member)
        else:
            variants = {variant: own(each) for variant, each in member.items()}
            config.members[name] = ConfigDict({"variants": variants})
    return config


def study_of(**members: ConfigDict | dict[str, ConfigDict]) -> ConfigDict:
    """A study's config: its members side by side, none of them joined with others.

    Args:
        members: as of an ensemble; but variants are members too.
    """
    config = ensemble_of(**members)
    config.combine = "none"
    config.on_missing = "skip"
    return config


def own(config: ConfigDict) -> ConfigDict:
    """A member's config without what it shares with the others."""
    return ConfigDict({key: value for key, value in config.items() if key not in SHARED})
