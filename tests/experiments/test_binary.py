"""MADE on binary vectors, from the file to results.csv."""

import csv
from itertools import product
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from configs import made_binary
from experiments import binary, train
from experiments.binary import read_vectors, run_binary
from experiments.early_stopping import EarlyStopping
from experiments.errors import ConfigError

ENTROPY = 3 * np.log(2) + 3 * (0.1 * np.log(10) + 0.9 * np.log(1 / 0.9))


def draw(rng, num_vectors):
    """Three fair bits, and each of them again but for one time in ten: `ENTROPY` nats."""
    bits = rng.integers(0, 2, (num_vectors, 3))
    return np.concatenate([bits, bits ^ (rng.random((num_vectors, 3)) < 0.1)], 1).astype(np.uint8)


def save(path, **splits):
    rng = np.random.default_rng(0)
    vectors = {"train": draw(rng, 2000), "valid": draw(rng, 1000), "test": draw(rng, 2000)}
    np.savez(path, **{**vectors, **splits})
    return str(path)


@pytest.fixture
def config(tmp_path):
    config = made_binary.get_config()
    config.data.root = save(tmp_path / "bits.npz")
    config.model.hidden = (16,)
    config.model.dropout_rate = 0.0
    config.train.learning_rate, config.train.batch_size = 0.1, 96
    config.train.patience, config.train.num_epochs = 3, 30
    return config


def results(path):
    return list(csv.reader(path.read_text().splitlines()))


def valid_losses(workdir):
    return (workdir / "made" / "valid.jsonl").read_text().splitlines()


def test_the_last_row_ends_in_the_nats_of_test_vectors(tmp_path, config, capsys):
    rows = results(run_binary(config, tmp_path / "made"))
    assert rows[0] == ["split", "num_vectors", "standard_error", "nll"]
    assert [row[0] for row in rows[1:]] == ["train", "valid", "test"]
    assert rows[-1][1] == "2000"
    assert float(rows[-1][-1]) == pytest.approx(ENTROPY, abs=0.1)
    assert 0 < float(rows[-1][2]) < 0.05
    assert (tmp_path / "made" / "curves.svg").exists()
    said = capsys.readouterr().out
    assert "valid was likeliest at step" in said and "test " in said


def test_training_stops_before_it_learns_by_heart(tmp_path, config):
    config.data.root = save(tmp_path / "few.npz", train=draw(np.random.default_rng(1), 100))
    config.train.num_epochs, config.model.hidden = 500, (64,)
    run_binary(config, tmp_path / "made")
    looks = len(valid_losses(tmp_path / "made"))
    assert config.train.patience < looks < 500


@pytest.mark.parametrize("orderless", [False, True])
def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(
    tmp_path, config, monkeypatch, orderless
):
    config.model.dropout_rate = 0.2
    config.train.num_epochs = 6
    if orderless:
        config.model.fixed_order, config.model.num_masks = False, 0
        config.model.num_valid_masks, config.model.num_test_masks = 2, 4
    whole = run_binary(config, tmp_path / "whole").read_bytes()
    look = EarlyStopping.look

    def stopped_at_the_third(self, step, variables):
        look(self, step, variables)
        if len(self.rows) == 3:
            raise KeyboardInterrupt  # after the look, before the checkpoint

    monkeypatch.setattr(EarlyStopping, "look", stopped_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        run_binary(config, tmp_path / "stopped")
    monkeypatch.undo()
    assert run_binary(config, tmp_path / "stopped").read_bytes() == whole
    assert valid_losses(tmp_path / "stopped") == valid_losses(tmp_path / "whole")


def test_a_finished_run_trains_no_more(tmp_path, config, monkeypatch):
    config.train.num_epochs = 2
    first = run_binary(config, tmp_path / "made").read_bytes()
    monkeypatch.setattr(train, "make_steps", None)
    monkeypatch.setattr(train, "_program", lambda *_: (None, None, iter(())))
    assert run_binary(config, tmp_path / "made").read_bytes() == first


def test_the_score_is_of_the_average_over_masks_and_sums_to_one(config):
    config.model.fixed_order, config.model.num_masks = False, 8
    config.model.num_test_masks = 8
    method = binary._method(config, 6, 8)
    every = np.array(list(product([0.0, 1.0], repeat=6)), np.float32)
    batch = {"x": jnp.asarray(every[:, None]), "id": jnp.zeros(64, jnp.int32)}
    variables = method.init(jax.random.key(0), batch)
    assert np.exp(-method.score(variables, batch)).sum() == pytest.approx(1, abs=1e-5)
    one = binary._method(config, 6, 1).score(variables, batch)
    assert np.abs(np.asarray(method.score(variables, batch)) - one).max() > 1e-3


@pytest.mark.parametrize(
    "key, value, message",
    [
        ("model.hidden", (), "model.hidden"),
        ("model.activation", "sine", "use relu, tanh, softplus"),
        ("model.dropout_rate", 1.0, "model.dropout_rate"),
        ("model.num_masks", -1, "model.num_masks"),
        ("model.num_test_masks", 2, "at most model.num_masks"),
        ("train.patience", 0, "train.patience=0 must be 1 or more"),
        ("train.optimizer", "newton", "use adam, sgd"),
        ("data.root", None, "--config.data.root=FILE.npz"),
        ("data.root", "nowhere.npz", "nowhere.npz is no .npz file"),
    ],
)
def test_what_a_user_can_mend_is_named(tmp_path, config, key, value, message):
    config.update_from_flattened_dict({key: value})
    with pytest.raises(ConfigError, match=message):
        run_binary(config, tmp_path / "made")


@pytest.mark.parametrize(
    "valid, message",
    [
        (np.full((4, 6), 2, np.uint8), "valid must be"),
        (np.zeros(6, np.uint8), "valid must be"),
        (np.zeros((0, 6), np.uint8), "valid must be"),
        (np.zeros((4, 5), np.uint8), "differ in the number of their bits"),
    ],
)
def test_vectors_that_are_not_bits_are_refused(tmp_path, valid, message):
    with pytest.raises(ConfigError, match=message):
        read_vectors(save(tmp_path / "bits.npz", valid=valid))


def test_a_file_without_a_split_and_one_that_is_no_archive_are_refused(tmp_path):
    np.savez(tmp_path / "some.npz", train=np.zeros((2, 3)))
    np.save(tmp_path / "one.npy", np.zeros((2, 3)))
    (tmp_path / "text.npz").write_text("bits")
    whole = Path(save(tmp_path / "whole.npz")).read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    for name in ("some.npz", "one.npy", "text.npz", "cut.npz"):
        with pytest.raises(ConfigError, match="with train, valid and test vectors"):
            read_vectors(str(tmp_path / name))
