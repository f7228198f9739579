import jax
import jax.numpy as jnp
import numpy as np
import pytest

from audio.windows import find_windows
from experiments import batches as batching
from experiments.batches import Batches, moments
from experiments.errors import ConfigError
from experiments.methods import Method, build
from experiments.train import learning_rate, make_steps, train

RNG = np.random.default_rng(0)
FRAMES = RNG.normal(-30, 5, (400, 128)).astype(np.float32)
OFFSETS = np.arange(0, 401, 20)
IDS = np.arange(20) % 2


def batches(batch_size=64, seed=0):
    return Batches(find_windows(FRAMES, OFFSETS, 5, 1), IDS, batch_size, seed)


def test_moments_are_those_of_all_frames(monkeypatch):
    monkeypatch.setattr(batching, "CHUNK", 37)
    found = moments(FRAMES)
    np.testing.assert_allclose(found["mean"], FRAMES.mean(0), rtol=1e-5)
    np.testing.assert_allclose(found["std"], FRAMES.std(0), rtol=1e-4)


def test_a_constant_bin_keeps_a_scale():
    assert (moments(np.full((10, 3), -90, np.float32))["std"] == np.float32(0.1)).all()


def test_an_epoch_has_every_window_once():
    windows = find_windows(FRAMES, OFFSETS, 5, 1)
    stream = batches(16).starting_at(0)
    seen = np.concatenate([next(stream)["x"] for _ in range(20)])
    assert len(windows) == 320 == len(seen)
    every = windows.gather(np.arange(320))
    assert np.array_equal(np.sort(seen[:, 0, 0]), np.sort(every[:, 0, 0]))


def test_epochs_differ_and_seeds_differ():
    first = [b["x"] for b, _ in zip(batches().starting_at(0), range(6), strict=False)]
    other = next(batches(seed=1).starting_at(0))["x"]
    assert not np.array_equal(first[0], first[5])
    assert not np.array_equal(first[0], other)


@pytest.mark.parametrize("step", [0, 3, 5, 7, 11])
def test_batches_from_a_step_are_those_that_would_have_come(step):
    whole = batches().starting_at(0)
    for _ in range(step):
        next(whole)
    rest = batches().starting_at(step)
    for _ in range(4):
        ours, theirs = next(rest), next(whole)
        assert np.array_equal(ours["x"], theirs["x"]) and np.array_equal(ours["id"], theirs["id"])


def test_windows_keep_the_id_of_their_clip():
    frames = np.repeat(np.arange(20, dtype=np.float32), 20)[:, None]
    windows = find_windows(frames, OFFSETS, 5, 1)
    batch = next(Batches(windows, np.arange(20), 64, 0).starting_at(0))
    assert np.array_equal(batch["x"][:, 2, 0], batch["id"])
    assert (batch["x"] == batch["x"][:, :1]).all()


def test_fewer_windows_than_a_batch_are_repeated():
    few = Batches(find_windows(FRAMES[:20], np.array([0, 20]), 5, 1), IDS[:1], 64, 0)
    assert few.steps_per_epoch == 1
    assert len(next(few.starting_at(0))["x"]) == 64


def test_a_batch_that_cannot_be_divided_is_refused():
    with pytest.raises(ConfigError, match=r"train\.batch_size=12 .* 8 devices"):
        batches(12)


def test_cosine_falls_to_zero_and_constant_stays():
    rates = [learning_rate(step, 100, 1e-3, "cosine") for step in range(101)]
    assert rates[0] == 1e-3 and rates[50] == pytest.approx(5e-4)
    assert rates[100] == pytest.approx(0, abs=1e-9)
    assert (np.diff(rates) <= 0).all()
    assert learning_rate(99, 100, 1e-3, "constant") == 1e-3
    with pytest.raises(ConfigError, match=r"train\.schedule"):
        learning_rate(0, 1, 1e-3, "stairs")


def losses(mesh_size, tiny, num_steps=6):
    """The losses of a few steps on so many devices."""
    mesh = jax.make_mesh(
        (mesh_size,),
        ("data",),
        devices=jax.devices()[:mesh_size],
        axis_types=(jax.sharding.AxisType.Auto,),
    )
    method = build(tiny(), 2)
    init, steps = make_steps(method, 1.0, mesh)
    window = {"x": np.zeros((1, 5, 128), np.float32), "id": np.zeros(1, np.int32)}
    state = init(jax.random.key(0), {**window, **moments(FRAMES)})
    sharding = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec(None, "data"))
    first = [batch for batch, _ in zip(batches().starting_at(0), range(num_steps), strict=False)]
    stacked = jax.tree.map(lambda *parts: np.stack(parts), *first)
    rates = np.full(num_steps, 1e-2, np.float32)
    batch = jax.device_put(stacked, sharding)
    return np.asarray(steps(state, jax.random.key(1), rates, batch)[1]["loss"])


def test_eight_devices_give_the_losses_of_one(tiny):
    assert jax.device_count() == 8
    one, eight = losses(1, tiny), losses(8, tiny)
    np.testing.assert_allclose(eight, one, rtol=1e-5)
    assert one[-1] < one[0] - 0.05


def test_training_in_pieces_is_training_in_one(tmp_path, tiny, monkeypatch):
    config = tiny()
    method = build(config, 2)
    whole = train(method, batches(), FRAMES, config, tmp_path / "whole", "whole")

    class KilledError(Exception):
        pass

    def killed_after(steps):
        class Short(Batches):
            def starting_at(self, step):
                for position, batch in enumerate(super().starting_at(step)):
                    if position == steps:
                        raise KilledError
                    yield batch

        return Short(find_windows(FRAMES, OFFSETS, 5, 1), IDS, 64, 0)

    for steps in (5, 3):
        with pytest.raises(KilledError):
            train(method, killed_after(steps), FRAMES, config, tmp_path / "pieces", "pieces")
    pieces = train(method, batches(), FRAMES, config, tmp_path / "pieces", "pieces")
    jax.tree.map(np.testing.assert_array_equal, whole, pieces)
    log = (tmp_path / "whole" / "metrics.jsonl").read_text()
    assert log == (tmp_path / "pieces" / "metrics.jsonl").read_text()
    assert len(log.splitlines()) == 5


def test_a_finished_training_is_not_repeated(tmp_path, tiny):
    config = tiny()
    method = build(config, 2)
    first = train(method, batches(), FRAMES, config, tmp_path, "first")
    again = train(method, batches(), FRAMES, config, tmp_path, "again")
    jax.tree.map(np.testing.assert_array_equal, first, again)


def test_a_loss_that_is_not_finite_ends_the_run(tmp_path, tiny):
    def diverge(variables, key, batch):
        loss = variables["params"].sum() * jnp.nan
        return loss, (variables, {"loss": loss})

    method = Method(lambda key, batch: {"params": jnp.ones(2)}, diverge, diverge, diverge)
    with pytest.raises(ConfigError, match=r"learning_rate"):
        train(method, batches(), FRAMES, tiny(), tmp_path, "diverging")
