"""What can be chosen about streams of live speech and media."""

from dataclasses import dataclass

from audio.clips import DataError


@dataclass(frozen=True)
class SceneSettings:
    """A set of streams; of equal settings, and equal recordings, two sets hold the same bytes.

    Attributes:
        num_train: streams to train on.
        num_test: streams to test on.
        stream_seconds: length of a stream.
        shortest_seconds: shortest passage of one kind by one source.
        longest_seconds: longest passage.
        switch_share: share of passages that are followed by one of the other kind; else another
            source of the same kind goes on.
        num_voices: synthetic speakers in all.
        noise_db: mean level of the synthetic rooms' noise, under full scale; speech has about
            -26 dB. Rooms differ.
        test_share: share of voices, or of the recordings of each kind, that only tests hear.
        sample_rate: in Hz.
        seed: another seed is other streams.
    """

    num_train: int = 128
    num_test: int = 96
    stream_seconds: float = 60.0
    shortest_seconds: float = 15.0
    longest_seconds: float = 40.0
    switch_share: float = 0.7
    num_voices: int = 64
    noise_db: float = -50.0
    test_share: float = 0.375
    sample_rate: int = 16000
    seed: int = 0


def check(settings: SceneSettings) -> None:
    """Checks the numbers.

    Raises:
        DataError: settings that make no streams.
    """
    for name in ("num_train", "num_test", "num_voices"):
        if (value := getattr(settings, name)) < (2 if name == "num_voices" else 1):
            raise DataError(f"scenes.{name}={value} is too few")
    for name in ("switch_share", "test_share"):
        if not 0 <= (value := getattr(settings, name)) <= 1:
            raise DataError(f"scenes.{name}={value} must be in [0, 1]")
    if settings.stream_seconds < 1:
        raise DataError(f"scenes.stream_seconds={settings.stream_seconds} must be 1 or more")
    if not 0.5 <= settings.shortest_seconds <= settings.longest_seconds:
        raise DataError(
            f"scenes.shortest_seconds={settings.shortest_seconds} must be 0.5 or more, and at most "
            f"scenes.longest_seconds={settings.longest_seconds}"
        )
    if not -100 <= settings.noise_db <= 0:
        raise DataError(f"scenes.noise_db={settings.noise_db} must be in [-100, 0]")
    if settings.sample_rate < 8000:
        raise DataError(f"{settings.sample_rate} Hz are too few for speech: use 8000 or more")
    if settings.seed < 0:
        raise DataError(f"scenes.seed={settings.seed} must be 0 or more")
