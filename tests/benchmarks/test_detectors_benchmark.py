import json

from benchmarks import detectors


def test_every_detector_is_timed_against_the_baseline(monkeypatch, capsys):
    monkeypatch.setattr(detectors, "CONFIGS", ("attention", "detection_baseline"))
    monkeypatch.setattr(detectors, "SECONDS", 2.0)
    arguments = ["--seconds", "0", "--repeats", "1"]
    detectors.main([*arguments, "--json"])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    values = {(row["name"], row["metric"]): row["value"] for row in rows}
    assert values["detection_baseline", "parameters"] == 12651
    assert values["detection_baseline", "ratio"] == 1
    assert values["attention", "audio_s_per_s"] > 0
    detectors.main(arguments)
    assert "12,651 parameters" in capsys.readouterr().out
