"""What a set of mixtures is made of."""

from dataclasses import dataclass

from audio.clips import DataError

TRAIN, VALID, TEST = "train", "valid", "test"
SPLITS = (TRAIN, VALID, TEST)


@dataclass(frozen=True)
class MixtureSettings:
    """How many mixtures of what; the defaults are DCASE 2017's, but for the counts and the rate.

    Attributes:
        classes: the target events; none given means all there are.
        num_train, num_valid, num_test: mixtures of each class; every other one has its event.
        seconds: length of a mixture.
        sample_rate: Hz.
        ratios_db: the event's RMS over the background's in the event's span; one is drawn.
        valid_share, test_share: of the sources (files) that only those splits hear.
        gate_db: where events are not annotated: so far below the loudest moment of its file, a
            sound is taken for silence.
        gate_gap: a silence that is shorter belongs to the event, seconds.
        num_sources: of synthetic events of each class, and of synthetic backgrounds.
        seed: of all that is drawn.
    """

    classes: tuple[str, ...] = ()
    num_train: int = 200
    num_valid: int = 40
    num_test: int = 80
    seconds: float = 30.0
    sample_rate: int = 16000
    ratios_db: tuple[float, ...] = (-6.0, 0.0, 6.0)
    valid_share: float = 0.2
    test_share: float = 0.3
    gate_db: float = 30.0
    gate_gap: float = 0.3
    num_sources: int = 40
    seed: int = 0

    def __post_init__(self) -> None:
        """Raises DataError on numbers that make no mixtures."""
        for name in ("num_train", "num_valid", "num_test", "num_sources"):
            if getattr(self, name) < 2:
                raise DataError(f"mixtures.{name}={getattr(self, name)}: set it to 2 or more")
        for name in ("seconds", "sample_rate", "gate_db"):
            if not getattr(self, name) > 0:
                raise DataError(f"mixtures.{name}={getattr(self, name)}: set it above 0")
        if not self.ratios_db:
            raise DataError("mixtures.ratios_db is empty: name one ratio or more, in dB")
        valid, test = self.valid_share, self.test_share
        if not (valid > 0 and test > 0 and valid + test < 1):
            raise DataError(
                f"mixtures.valid_share={valid} and test_share={test} must be above 0 and leave a"
                " share to train on"
            )

    def count(self, split: str) -> int:
        """Mixtures of each class in a split."""
        return {TRAIN: self.num_train, VALID: self.num_valid, TEST: self.num_test}[split]
