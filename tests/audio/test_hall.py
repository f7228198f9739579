"""The machine hall: what is on disk, that it repeats, and that it sounds as the physics says."""

import csv
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audio.clips import ANOMALY, NORMAL, TEST, TRAIN, DataError
from audio.hall import HallSettings, build_hall
from audio.hall.machines import MACHINES
from audio.hall.recording import SEVERITIES, Take, nearness_of, parts, synthesise, unit_of
from audio.hall.signals import event_times, harmonics, rms, shaft_phase

RATE = 16000
SMALL = HallSettings(
    machines=("fan", "valve"), num_ids=2, num_train=2, num_normal=1, num_anomaly=5, seconds=1.0
)
FAULTS = [(machine, fault) for machine, kind in MACHINES.items() for fault in kind.faults]


def wavs(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*.wav")}


def spectrum(signal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    windowed = (signal - signal.mean()) * np.hanning(len(signal))
    return np.fft.rfftfreq(len(signal), 1 / RATE), np.abs(np.fft.rfft(windowed))


def stands_out(signal: np.ndarray, freq: float, tolerance: float) -> float:
    """The highest peak within `tolerance` of `freq`, over the median of its neighbourhood."""
    freqs, heights = spectrum(signal)
    close = np.abs(freqs / freq - 1.0)
    return heights[close < tolerance].max() / np.median(heights[close < 0.3])


def log_bands(signal: np.ndarray) -> np.ndarray:
    """(frames, 32) level in dB of 250 Hz bands in frames of 64 ms."""
    frames = signal[: len(signal) // 1024 * 1024].reshape(-1, 1024) * np.hanning(1024)
    power = np.abs(np.fft.rfft(frames)[:, :512]) ** 2
    return 10 * np.log10(power.reshape(len(frames), 32, 16).sum(-1) + 1e-9)


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_hall(tmp_path_factory.mktemp("halls") / "hall", SMALL)


# On disk


def test_layout_follows_dcase(hall: Path):
    names = set(wavs(hall))
    assert len(names) == 2 * 2 * (2 + 1 + 5)
    assert "fan/train/normal_id_00_00000000.wav" in names
    assert "fan/test/normal_id_01_00000000.wav" in names
    assert "valve/test/anomaly_id_01_00000004.wav" in names
    assert {path.name for path in hall.iterdir()} == {"fan", "valve", "faults.csv", "hall.json"}
    assert not any("anomaly" in name for name in names if "/train/" in name)


def test_files_are_16_bit_mono_of_the_length_and_rate_asked_for(hall: Path):
    info = soundfile.info(hall / "fan/train/normal_id_00_00000000.wav")
    assert (info.channels, info.samplerate, info.frames) == (1, RATE, RATE)
    assert info.subtype == "PCM_16"


def test_faults_csv_tells_the_truth_about_every_anomaly(hall: Path):
    with (hall / "faults.csv").open() as file:
        rows = list(csv.DictReader(file))
    told = {f"{row['machine']}/test/{row['name']}" for row in rows}
    assert told == {name for name in wavs(hall) if "anomaly" in name}
    assert {row["fault"] for row in rows if row["machine"] == "fan"} == set(MACHINES["fan"].faults)
    row = next(row for row in rows if row["name"] == "anomaly_id_01_00000002.wav")
    take = Take(row["machine"], 1, TEST, ANOMALY, 2)
    expected = synthesise(take, SMALL, row["fault"], float(row["severity"]))
    found, _ = soundfile.read(hall / row["machine"] / "test" / row["name"])
    np.testing.assert_allclose(found, expected, atol=1.1 / 2**15)


def test_default_hall_is_the_one_promised():
    assert set(HallSettings().machines) == {
        "fan",
        "pump",
        "slider",
        "valve",
        "ToyCar",
        "ToyConveyor",
    }


def test_hall_needs_neither_tensorflow_nor_jax_nor_scipy():
    code = (
        "import sys, audio.hall; print(sorted({'tensorflow', 'jax', 'scipy'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


# Repeatable


def test_another_build_is_the_same_to_the_byte_whatever_the_workers(hall: Path, tmp_path: Path):
    again = build_hall(tmp_path / "again", SMALL, num_workers=1)
    assert wavs(again) == wavs(hall)
    assert (again / "faults.csv").read_bytes() == (hall / "faults.csv").read_bytes()


def test_a_clip_does_not_depend_on_how_many_others_there_are(hall: Path, tmp_path: Path):
    fewer = replace(SMALL, machines=("valve",), num_ids=1, num_train=1, num_anomaly=2)
    few, all_of_them = wavs(build_hall(tmp_path / "few", fewer)), wavs(hall)
    assert len(few) == 4
    assert all(all_of_them[name] == data for name, data in few.items())


def test_every_clip_is_another(hall: Path):
    assert len(set(wavs(hall).values())) == len(wavs(hall))


@pytest.mark.parametrize("machine", MACHINES)
def test_seeds_are_other_factories(machine: str):
    take = Take(machine, 0, TRAIN, NORMAL, 0)
    one, other = (synthesise(take, replace(SMALL, seed=seed)) for seed in (0, 1))
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.5


@pytest.mark.parametrize("machine", MACHINES)
def test_an_id_has_a_voice_of_its_own(machine: str):
    settings = HallSettings(snr_db=20.0, seconds=2.0)

    def voice(unit_id: int, first: int) -> np.ndarray:
        takes = [Take(machine, unit_id, TRAIN, NORMAL, first + index) for index in range(6)]
        colour = np.mean([log_bands(synthesise(take, settings)) for take in takes], axis=(0, 1))
        return colour - colour.mean()

    itself = rms(voice(0, 0) - voice(0, 6))
    another = rms(voice(0, 0) - voice(1, 0))
    assert another > 1.5 * itself


# Physics


@pytest.mark.parametrize("unit_id", [0, 1, 2])
def test_fan_sounds_at_its_blade_pass(unit_id: int):
    fan = unit_of("fan", unit_id, seed=0)
    clean = HallSettings(snr_db=40.0)
    heard = synthesise(Take("fan", unit_id, TRAIN, NORMAL, 0), clean)
    tones = [stands_out(heard, k * fan.blades * fan.shaft, 0.06) for k in (1, 2, 3)]
    assert max(tones) > 20.0
    assert min(tones) > 5.0


def test_pump_sounds_at_its_vane_pass():
    pump = unit_of("pump", 0, seed=0)
    heard = MACHINES["pump"].sound(pump, np.random.default_rng(0), 5 * RATE, RATE)
    assert stands_out(heard, pump.vanes * pump.shaft, 0.01) > 10.0


def test_worn_bearing_clicks_at_the_ball_pass_rate():
    kind, fan = MACHINES["fan"], unit_of("fan", 0, seed=0)
    sound = [
        kind.sound(unit, np.random.default_rng(0), 5 * RATE, RATE)
        for unit in (fan, kind.faults["worn_bearing"](fan, 1.0))
    ]
    band = [np.diff(signal, n=2) for signal in sound]  # the clicks ring high, the blades do not
    healthy, worn = (stands_out(np.abs(s), fan.bearing_ratio * fan.shaft, 0.01) for s in band)
    assert worn > 8.0
    assert healthy < 0.5 * worn


def test_imbalance_swings_the_level_once_a_revolution():
    kind, fan = MACHINES["fan"], unit_of("fan", 1, seed=0)
    unbalanced = kind.faults["imbalance"](fan, 1.0)
    healthy, swinging = (
        stands_out(kind.sound(unit, np.random.default_rng(0), 5 * RATE, RATE) ** 2, fan.shaft, 0.01)
        for unit in (fan, unbalanced)
    )
    assert swinging > 3.0 * healthy


def test_high_voltage_raises_the_toy_cars_whine():
    kind, car = MACHINES["ToyCar"], replace(unit_of("ToyCar", 0, seed=0), surging=0.0)
    fast = kind.faults["high_voltage"](car, 1.0)
    sound = kind.sound(fast, np.random.default_rng(0), 5 * RATE, RATE)
    assert fast.motor > 1.05 * car.motor
    assert stands_out(sound, fast.motor * fast.commutator, 0.01) > 10.0
    assert stands_out(sound, car.motor * car.commutator, 0.01) < 5.0


def test_rail_damage_is_heard_where_the_pit_is():
    kind, slider = MACHINES["slider"], unit_of("slider", 0, seed=0)
    pitted = kind.faults["rail_damage"](slider, 1.0)
    healthy, faulty = (
        kind.sound(unit, np.random.default_rng(3), 5 * RATE, RATE) for unit in (slider, pitted)
    )
    click = np.abs(faulty - healthy)
    loud = np.flatnonzero(click > 0.5 * click.max()) / RATE
    bursts = 1 + np.count_nonzero(np.diff(loud) > 0.1)
    # one click a stroke, and silence otherwise
    assert bursts == pytest.approx(5.0 / slider.stroke, abs=1.0)
    assert np.mean(click < 0.01 * click.max()) > 0.8


def test_shaft_events_and_tones_keep_time():
    phase = shaft_phase(np.full(RATE, 20.0), RATE)
    np.testing.assert_allclose(np.diff(event_times(phase, RATE, per_turn=3.0)), 1 / 60, atol=1e-9)
    levels = np.array([0.0, 0.5, 0.25])
    expected = 0.5 * np.sin(2 * phase) + 0.25 * np.sin(3 * phase)
    np.testing.assert_allclose(harmonics(phase, levels, RATE), expected, atol=1e-9)
    shrill = shaft_phase(np.full(RATE, 3000.0), RATE)  # its third partial would alias
    np.testing.assert_allclose(harmonics(shrill, levels, RATE), 0.5 * np.sin(2 * shrill), atol=1e-9)


# Recordings


@pytest.mark.parametrize("machine", ["pump", "valve"])
def test_snr_is_the_one_asked_for(machine: str):
    settings = HallSettings(snr_db=3.0, seconds=1.0)

    def snr(unit_id: int, index: int) -> float:
        sound, around = parts(Take(machine, unit_id, TRAIN, NORMAL, index), settings)
        return 20 * np.log10(rms(sound) / rms(around))

    found = [snr(unit_id, index) for unit_id in range(13) for index in range(4)]
    assert np.mean(found) == pytest.approx(3.0, abs=0.8)
    one = np.mean([snr(0, index) for index in range(20)])
    assert one == pytest.approx(3.0 + nearness_of(machine, 0, seed=0), abs=1.0)


@pytest.mark.parametrize(("machine", "fault"), FAULTS)
def test_a_fault_grows_with_severity_from_nothing(machine: str, fault: str):
    kind, unit = MACHINES[machine], unit_of(machine, 0, seed=0)

    def strength(unit: object) -> np.ndarray:  # at each frequency; phases do not matter
        sound = kind.sound(unit, np.random.default_rng(0), 3 * RATE, RATE)
        frames = sound.reshape(6, -1) * np.hanning(RATE // 2)
        return np.sqrt(np.mean(np.abs(np.fft.rfft(frames)) ** 2, axis=0))

    healthy = strength(unit)
    nothing, slight, grave = (
        rms(strength(kind.faults[fault](unit, severity)) - healthy) / rms(healthy)
        for severity in (0.0, 0.01, 1.0)
    )
    assert nothing == pytest.approx(0.0, abs=1e-9)
    assert 0.0 < slight < 0.5 * grave
    assert grave > 0.02


@pytest.mark.parametrize(("machine", "fault"), FAULTS)
def test_level_alone_does_not_tell_a_fault(machine: str, fault: str):
    settings = HallSettings(seconds=1.0)
    take = Take(machine, 0, TEST, ANOMALY, 0)
    healthy, faulty = parts(take, settings), parts(take, settings, fault, 1.0)
    assert rms(faulty[0]) == pytest.approx(rms(healthy[0]), rel=1e-6)
    np.testing.assert_array_equal(faulty[1], healthy[1])


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("rate", [8000, 16000])
def test_recordings_are_finite_audible_and_do_not_clip(machine: str, rate: int):
    settings = HallSettings(seconds=1.0, sample_rate=rate)
    for index, fault in enumerate([None, *MACHINES[machine].faults]):
        signal = synthesise(Take(machine, 1, TEST, ANOMALY, index), settings, fault, 1.0)
        assert signal.dtype == np.float32
        assert signal.shape == (rate,)
        assert np.isfinite(signal).all()
        assert rms(signal) > 0.003
        assert np.abs(signal).max() < 0.95


def test_severities_are_shares():
    assert all(0.0 < severity <= 1.0 for stages in SEVERITIES for severity in stages)


# Resuming and refusing


def test_a_finished_hall_is_left_alone(hall: Path):
    before = {path: path.stat().st_mtime_ns for path in hall.rglob("*")}
    assert build_hall(hall, SMALL, progress=lambda done, total: pytest.fail("built again")) == hall
    assert {path: path.stat().st_mtime_ns for path in hall.rglob("*")} == before


def test_progress_counts_every_clip(tmp_path: Path):
    seen = []
    settings = replace(SMALL, machines=("fan",), num_ids=1)
    build_hall(tmp_path / "new/hall", settings, progress=lambda *count: seen.append(count))
    assert seen == [(done, 8) for done in range(1, 9)]


def test_a_build_that_is_interrupted_leaves_nothing_and_can_be_repeated(tmp_path: Path):
    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_hall(tmp_path / "hall", SMALL, progress=interrupt)
    assert list(tmp_path.iterdir()) == []
    assert len(wavs(build_hall(tmp_path / "hall", replace(SMALL, num_ids=1)))) == 16


def test_what_a_killed_build_left_is_swept_up_but_a_living_one_is_not(tmp_path: Path):
    dead, living = tmp_path / ".hall.partial-dead", tmp_path / ".hall.partial-living"
    for left in (dead, living):
        (left / "hall/fan/train").mkdir(parents=True)
    yesterday = time.time() - 86400
    os.utime(dead, (yesterday, yesterday))
    (tmp_path / "hall").mkdir()  # an empty folder is nobody's
    build_hall(tmp_path / "hall", replace(SMALL, machines=("fan",), num_ids=1))
    assert sorted(path.name for path in tmp_path.iterdir()) == [living.name, "hall"]


def test_two_builders_of_one_hall_agree(tmp_path: Path):
    settings = replace(SMALL, machines=("fan",), num_ids=1)

    def somebody_else_is_first(done: int, total: int) -> None:
        build_hall(tmp_path / "hall", settings)

    build_hall(tmp_path / "hall", settings, progress=somebody_else_is_first)
    assert len(wavs(tmp_path / "hall")) == 8
    assert [path.name for path in tmp_path.iterdir()] == ["hall"]


def test_another_hall_is_not_overwritten(hall: Path):
    with pytest.raises(DataError, match=r"another snr_db, seed; choose another root") as error:
        build_hall(hall, replace(SMALL, seed=5, snr_db=0.0))
    assert str(hall) in str(error.value)


@pytest.mark.parametrize("content", ["notes.txt", "hall.json"])
def test_a_folder_of_something_else_is_refused_and_kept(tmp_path: Path, content: str):
    (tmp_path / content).write_text("[1, 2")
    with pytest.raises(DataError, match="not a machine hall; choose another root"):
        build_hall(tmp_path, SMALL)
    assert (tmp_path / content).read_text() == "[1, 2"


def test_a_file_in_the_way_is_refused(tmp_path: Path):
    (tmp_path / "hall").write_text("mine")
    with pytest.raises(DataError, match="not a machine hall"):
        build_hall(tmp_path / "hall", SMALL)
    with pytest.raises(DataError, match="cannot write a hall to"):
        build_hall(tmp_path / "hall" / "below", SMALL)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"machines": ("fan", "toycar")}, "toycar.*fan, pump, slider, valve, ToyCar, ToyConveyor"),
        ({"machines": ()}, "one or more of fan, "),
        ({"machines": ("fan", "fan")}, "each once"),
        ({"num_ids": 0}, "num_ids .* is 0; give it from 1 to 100"),
        ({"num_ids": 101}, "num_ids"),
        ({"num_train": 0}, "num_train .* is 0; give it at least 1"),
        ({"num_anomaly": -1}, "num_anomaly"),
        ({"seconds": 0.1}, "seconds .* at least 1"),
        ({"seconds": float("inf")}, "seconds"),
        ({"sample_rate": 4000}, "sample_rate"),
        ({"snr_db": float("nan")}, "snr_db"),
        ({"seed": -1}, "seed"),
    ],
)
def test_impossible_settings_end_in_one_line(tmp_path: Path, change: dict, message: str):
    with pytest.raises(DataError, match=message) as error:
        build_hall(tmp_path / "hall", replace(SMALL, **change))
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_fault_lists_the_known_ones():
    with pytest.raises(DataError, match="pump has no fault called rust; choose from leakage, "):
        synthesise(Take("pump", 0, TEST, ANOMALY, 0), SMALL, "rust", 1.0)
