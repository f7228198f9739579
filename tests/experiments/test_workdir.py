import json

import pytest

from experiments import workdir as work
from experiments.errors import ConfigError


def test_claim_writes_the_config(tmp_path, tiny):
    work.claim(tmp_path / "run", tiny())
    held = json.loads((tmp_path / "run" / "config.json").read_text())
    assert held["model"]["ordering"] == "middle_last" and held["seed"] == 0


def test_the_same_config_may_come_back(tmp_path, tiny):
    work.claim(tmp_path, tiny())
    work.check(tmp_path, tiny())
    work.claim(tmp_path, tiny())


def test_another_config_is_refused_and_every_difference_named(tmp_path, tiny):
    work.claim(tmp_path, tiny())
    other = tiny()
    other.train.batch_size = 32
    other.seed = 1
    with pytest.raises(ConfigError, match=r"seed \(there 0, here 1\).*train.batch_size") as error:
        work.check(tmp_path, other)
    assert "\n" not in str(error.value) and "--workdir" in str(error.value)


def test_a_key_the_other_config_lacks_is_named(tmp_path, tiny):
    config = tiny()
    work.claim(tmp_path, config)
    path = tmp_path / "config.json"
    held = json.loads(path.read_text())
    del held["model"]["use_id"]
    path.write_text(json.dumps(held))
    with pytest.raises(ConfigError, match=r"model\.use_id"):
        work.check(tmp_path, config)


def test_a_file_is_not_a_workdir(tmp_path, tiny):
    (tmp_path / "run").write_text("")
    with pytest.raises(ConfigError, match="is a file"):
        work.check(tmp_path / "run", tiny())


def test_a_broken_config_is_not_overwritten(tmp_path, tiny):
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ConfigError, match=r"config\.json"):
        work.check(tmp_path, tiny())


def test_checking_writes_nothing(tmp_path, tiny):
    work.check(tmp_path / "run", tiny())
    assert not (tmp_path / "run").exists()
