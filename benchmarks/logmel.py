"""How fast wav files become log-mels: librosa, this project, and torchaudio if it is there.

    python -m benchmarks.logmel [--root DIR] [--clips 200] [--repeats 5] [--json]

All are measured in one run on the same files, in turns, after one turn to warm up; each one's best
turn counts. Keep the machine idle: librosa's threads wait busily for one another, and on busy cores
it looks several times slower than it is.
"""

import argparse
import importlib
import itertools
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import librosa
import numpy as np
import soundfile

from audio.clips import TRAIN, Clip
from audio.logmel import LogMel
from audio.pipeline import load

SETTINGS = LogMel()
NUM_FILES = 200  # made-up ones; 64 MB

Way = Callable[[Sequence[Path]], list[np.ndarray]]


def write_clips(folder: Path, num_clips: int, seconds: float = 10.0) -> None:
    """Writes clips of noise and tones, 16-bit mono wav at 16 kHz."""
    rng = np.random.default_rng(0)
    time_s = np.arange(int(seconds * SETTINGS.sample_rate)) / SETTINGS.sample_rate
    for i in range(num_clips):
        tones = sum(np.sin(2 * np.pi * f * time_s) for f in rng.uniform(50, 4000, size=3))
        signal = 0.05 * tones + 0.03 * rng.normal(size=len(time_s))
        soundfile.write(folder / f"{i:08d}.wav", signal, SETTINGS.sample_rate, "PCM_16")


def by_librosa(paths: Sequence[Path]) -> list[np.ndarray]:
    """The DCASE baseline's way."""
    logmels = []
    for path in paths:
        signal, rate = librosa.load(path, sr=SETTINGS.sample_rate)
        power = librosa.feature.melspectrogram(
            y=signal,
            sr=rate,
            n_fft=SETTINGS.frame_length,
            hop_length=SETTINGS.hop_length,
            n_mels=SETTINGS.num_mels,
        )
        logmels.append(10.0 * np.log10(power.T + SETTINGS.eps))
    return logmels


def by_this_project(paths: Sequence[Path]) -> list[np.ndarray]:
    """`audio.pipeline.load`, nothing kept."""
    clips = [Clip("any", "00", TRAIN, 0, path.name, path) for path in paths]
    logmels, _, _ = load(clips, SETTINGS)
    return [logmels.clip(i) for i in range(len(paths))]


def by_torchaudio() -> Way | None:
    """Torchaudio's mel spectrogram with Slaney's filters; None where it is not installed."""
    try:
        torch = importlib.import_module("torch")
        transforms = importlib.import_module("torchaudio.transforms")
    except ImportError:
        return None
    mel = transforms.MelSpectrogram(
        sample_rate=SETTINGS.sample_rate,
        n_fft=SETTINGS.frame_length,
        hop_length=SETTINGS.hop_length,
        n_mels=SETTINGS.num_mels,
        pad_mode="constant",
        norm="slaney",
        mel_scale="slaney",
    )

    def way(paths: Sequence[Path]) -> list[np.ndarray]:
        logmels = []
        for path in paths:
            signal, _ = soundfile.read(path, dtype="float32", always_2d=True)
            power = mel(torch.from_numpy(signal[:, 0].copy()))
            logmels.append((10.0 * torch.log10(power + SETTINGS.eps)).numpy().T)
        return logmels

    return way


def measure(ways: dict[str, Way], paths: Sequence[Path], repeats: int) -> list[dict]:
    """Returns clips a second of each way, and how far it is from the first one's numbers."""
    results = {name: way(paths) for name, way in ways.items()}
    best = dict.fromkeys(ways, np.inf)
    for _ in range(repeats):
        for name, way in ways.items():
            start = time.perf_counter()
            way(paths)
            best[name] = min(best[name], time.perf_counter() - start)
    first = next(iter(ways))
    rows = []
    for name, logmels in results.items():
        pairs = zip(logmels, results[first], strict=True)
        difference = max(float(np.abs(ours - theirs).max()) for ours, theirs in pairs)
        rows += [
            {
                "name": name,
                "metric": "throughput",
                "value": len(paths) / best[name],
                "unit": "clip/s",
            },
            {"name": name, "metric": "ratio", "value": best[first] / best[name], "unit": "x"},
            {"name": name, "metric": "difference", "value": difference, "unit": "dB"},
        ]
    return rows


def print_table(rows: list[dict], title: str) -> None:
    """Prints one line a way of computing."""
    print(f"{title}\n{'':12}{'clip/s':>10}{'ratio':>10}{'max |difference|, dB':>24}")
    for name in dict.fromkeys(row["name"] for row in rows):
        value = {row["metric"]: row["value"] for row in rows if row["name"] == name}
        print(
            f"{name:12}{value['throughput']:10.0f}{value['ratio']:9.1f}x{value['difference']:24.1e}"
        )


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description="Log-mels from wav files, clips a second.")
    parser.add_argument("--root", type=Path, help="a folder of 16 kHz wavs; default: made up")
    parser.add_argument("--clips", type=int, default=600, help="clips a turn; files may repeat")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as made_up:
        if args.root is None:
            write_clips(Path(made_up), min(args.clips, NUM_FILES))
        found = sorted((args.root or Path(made_up)).rglob("*.wav"))
        if not found:
            parser.error(f"{args.root} has no wav files")
        paths = list(itertools.islice(itertools.cycle(found), args.clips))
        ways: dict[str, Way | None] = {
            "librosa": by_librosa,
            "gmade": by_this_project,
            "torchaudio": by_torchaudio(),
        }
        present = {name: way for name, way in ways.items() if way is not None}
        rows = measure(present, paths, args.repeats)
    if args.json:
        print("\n".join(json.dumps(row) for row in rows))
    else:
        print_table(rows, f"wav files on disk to log-mels, {len(paths)} clips")


if __name__ == "__main__":
    main()
