from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from audio.windows import find_windows
from configs import made_binary
from experiments import batches as batching
from experiments.batches import Batches, moments, window_moments
from experiments.errors import ConfigError
from experiments.feed import (
    DEVICES,
    device_mesh,
    put_frames,
    resident_calls,
    streamed_calls,
)
from experiments.method import Method
from experiments.methods import build
from experiments.metrics import read_metrics
from experiments.steps import Optimizer, check_training, learning_rate, make_init, make_steps
from experiments.track import Member
from experiments.train import train

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


def test_windows_have_moments_of_every_frame():
    windows = find_windows(FRAMES, np.arange(0, 401, 20), 20, 20)
    found = window_moments(windows)
    every = FRAMES.reshape(20, 20, 128)
    np.testing.assert_allclose(found["window_mean"], every.mean(0), rtol=1e-5)
    np.testing.assert_allclose(found["window_std"], every.std(0), rtol=1e-4)


def test_a_constant_bin_keeps_a_scale():
    assert (moments(np.full((10, 3), -90, np.float32))["std"] == np.float32(0.1)).all()


def test_an_epoch_has_every_window_once():
    epoch = batches(16).chosen(0, 20)
    assert np.array_equal(np.sort(epoch.ravel()), np.arange(320))


def test_epochs_differ_and_seeds_differ():
    first, second = batches().chosen(0, 1), batches().chosen(5, 1)
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, batches(seed=1).chosen(0, 1))


@pytest.mark.parametrize("step", [0, 3, 5, 7, 11])
def test_batches_from_a_step_are_those_that_would_have_come(step):
    assert np.array_equal(batches().chosen(step, 14), batches().chosen(0, 25)[step : step + 14])


def test_windows_keep_the_id_of_their_clip():
    windows = find_windows(FRAMES, OFFSETS, 5, 1)
    whole = Batches(windows, np.arange(20), 64, 0)
    which = whole.chosen(0, 1)[0]
    assert np.array_equal(windows.starts[which] // 20, whole.ids[which])


@pytest.mark.parametrize("resident", [True, False])
def test_a_batch_brings_the_targets_of_its_windows(resident):
    """One target names the clip, the other is where the clip begins: both go with the window."""
    windows, mesh = find_windows(FRAMES, OFFSETS, 5, 1), device_mesh()
    targets = {"clip": np.arange(20), "span": np.stack([OFFSETS[:-1], OFFSETS[1:]], 1)}
    every = Batches(windows, IDS, 64, 0, targets)
    if resident:
        (batch,) = resident_calls([every], [(3,)], 2, mesh)
    else:
        (batch,) = streamed_calls(every, [3], 2, mesh)
    chosen = every.chosen(3, 2)
    assert np.array_equal(batch["clip"][:, 0], windows.clip[chosen])
    assert batch["span"].shape == (2, 1, 64, 2)
    starts = windows.starts[chosen]
    span = np.asarray(batch["span"][:, 0])
    assert ((span[..., 0] <= starts) & (starts < span[..., 1])).all()


def test_fewer_windows_than_a_batch_are_repeated():
    few = Batches(find_windows(FRAMES[:20], np.array([0, 20]), 5, 1), IDS[:1], 64, 0)
    assert few.steps_per_epoch == 1
    assert np.array_equal(np.unique(few.chosen(0, 1)), np.arange(16))


def test_an_epoch_may_be_longer_than_its_windows_fill():
    windows = find_windows(FRAMES[:20], np.array([0, 20]), 5, 1)
    few = Batches(windows, IDS[:1], 8, 0, steps_per_epoch=4)
    counts = np.bincount(few.chosen(0, 4).ravel())
    assert few.steps_per_epoch == 4 and np.array_equal(counts, np.full(16, 2))


def test_a_batch_that_cannot_be_divided_is_refused():
    with pytest.raises(ConfigError, match=r"train\.batch_size=12 .* 8 devices"):
        batches(12)


def test_cosine_falls_to_zero_and_constant_stays():
    steps = np.arange(101)
    rates = np.asarray(learning_rate(steps, 100, 1e-3, "cosine"))
    assert rates[0] == np.float32(1e-3) and rates[50] == pytest.approx(5e-4)
    assert rates[100] == pytest.approx(0, abs=1e-9)
    assert (np.diff(rates) <= 0).all()
    assert (np.asarray(learning_rate(steps, 100, 1e-3, "constant")) == np.float32(1e-3)).all()


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("schedule", "stairs", r"train\.schedule='stairs' is not known"),
        ("plateau_factor", 1.0, r"train\.plateau_factor=1.0 must be in \(0, 1\)"),
        ("plateau_patience", 0, r"train\.plateau_patience=0 must be 1 or more"),
        ("batch_size", 0, r"train\.batch_size=0 must be 1 or more"),
        ("learning_rate", 0.0, r"train\.learning_rate=0.0 must be above 0"),
        ("resident_gb", -1.0, r"train\.resident_gb=-1.0 must be 0 or more"),
        ("weight_decay", -0.1, r"train\.weight_decay=-0.1 must be 0 or more"),
    ],
)
def test_a_setting_out_of_range_is_named(tiny, key, value, said):
    config = tiny("fc_autoencoder")
    config.train[key] = value
    with pytest.raises(ConfigError, match=said):
        check_training(config)


@pytest.mark.parametrize(("decay", "left"), [(0.0, 1.0), (0.5, 0.95)])
def test_decay_takes_a_share_of_weights_alone(decay, left):
    transformation = Optimizer(0.1, "constant", 1.0, decay).transformation()
    one, gone = jnp.ones((2, 2)), jnp.full((2, 2), -jnp.inf)
    params = {"trunk": [{"w": one, "b": one}], "head": {"kernel": one, "scale": one, "bias": gone}}
    still = jax.tree.map(jnp.zeros_like, params)
    updates, _ = transformation.update(still, transformation.init(params), params)
    after = jax.tree.map(lambda p, u: p - 0.1 * u, params, updates)
    for weights in (after["trunk"][0]["w"], after["head"]["kernel"]):
        np.testing.assert_allclose(weights, left)
    for other in (after["trunk"][0]["b"], after["head"]["scale"]):
        np.testing.assert_array_equal(other, 1)
    np.testing.assert_array_equal(after["head"]["bias"], gone)


def test_sgd_has_a_momentum_and_no_scale_of_its_own():
    transformation = Optimizer(0.1, "constant", 1e3, 0.0, "sgd").transformation()
    params = {"w": jnp.zeros(2)}
    grads, state = {"w": jnp.array([1.0, -20.0])}, transformation.init(params)
    for times in (1, 1.9, 2.71):
        updates, state = transformation.update(grads, state, params)
        np.testing.assert_allclose(updates["w"], times * grads["w"], rtol=1e-6)


def test_the_rate_falls_when_the_loss_of_epochs_does_not():
    """Two steps an epoch, patience of two epochs: halved after the third epoch without a fall."""
    optimizer = Optimizer(0.1, "plateau", 1e3, 0.0, "sgd", 0.5, 2, num_epochs=5)
    params, grads = {"w": jnp.zeros(1)}, {"w": jnp.ones(1)}
    transformation = optimizer.transformation(num_steps=10)
    state = transformation.init(params)
    scales = []
    for loss in (4.0, 2.0, 3.0, 1.0, 2.0, 2.0, 2.5, 1.5, 1.0, 1.0):
        _, state = transformation.update(grads, state, params, value=loss)
        scales.append(float(optax.tree.get(state, "scale")))
    # Epochs of 3, 2, 2, 2 and 1: the third and the fourth have not fallen.
    assert scales == [1.0] * 7 + [0.5] * 3


def test_a_plateau_is_logged_and_survives_a_stop(tmp_path, tiny):
    config = tiny("fc_autoencoder")
    config.window.num_frames = 5
    # Nothing is learned at such a rate, so that the loss is the same in every epoch.
    config.train.learning_rate, config.train.batch_size = 1e-30, 320
    config.train.plateau_patience, config.train.num_epochs = 1, 4
    config.train.log_every_steps = 1
    whole = batches(320)
    member = Member("pump", build(config, 2), whole, config, tmp_path)
    train([member])
    rates = [row["learning_rate"] for row in read_metrics(tmp_path)]
    np.testing.assert_allclose(rates, np.array([1, 0.5, 0.25, 0.125]) * 1e-30, rtol=1e-5)


def test_most_configs_do_not_name_an_optimizer(tiny):
    assert Optimizer.of(tiny().train).optimizer == "adam"
    assert Optimizer.of(made_binary.get_config().train).optimizer == "sgd"


def losses(mesh_size, tiny, num_steps=6):
    """The losses of a few steps on so many devices."""
    mesh = jax.make_mesh(
        (1, mesh_size),
        DEVICES,
        devices=jax.devices()[:mesh_size],
        axis_types=(jax.sharding.AxisType.Auto,) * 2,
    )
    method = build(tiny(), 2)
    window = {"x": np.zeros((1, 5, 128), np.float32), "id": np.zeros(1, np.int32)}
    optimizer = Optimizer(1e-2, "constant", 1.0, 0.0)
    state = make_init(method, optimizer, mesh)(jax.random.key(0), {**window, **moments(FRAMES)})
    steps = make_steps(method.loss, 5, optimizer, mesh)
    fed = next(resident_calls([batches()], [(0,)], num_steps, mesh))
    state = jax.tree.map(lambda each: each[None], state)
    keys = jax.random.split(jax.random.key(1), 1)
    frames = put_frames([batches()], mesh)
    metrics = steps(state, keys, np.array([100]), frames, fed, np.int32(num_steps))[1]
    return np.asarray(metrics["loss"])[:, 0]


def test_eight_devices_give_the_losses_of_one(tiny):
    assert jax.device_count() == 8
    one, eight = losses(1, tiny), losses(8, tiny)
    np.testing.assert_allclose(eight, one, rtol=1e-5)
    assert one[-1] < one[0] - 0.05


def member(config, workdir, seed=0, frames=FRAMES):
    windows = find_windows(frames, np.arange(0, len(frames) + 1, 20), 5, 1)
    ids = np.arange(len(frames) // 20) % 2
    return Member("pump", build(config, 2), Batches(windows, ids, 64, seed), config, workdir)


def log(workdir):
    return (workdir / "metrics.jsonl").read_text()


class KilledError(Exception):
    pass


def test_training_in_pieces_is_training_in_one(tmp_path, tiny):
    config = tiny()
    (whole,) = train([member(config, tmp_path / "whole")])

    def killed_after(steps):
        class Short(Batches):
            def chosen(self, first, num_steps):
                if first >= steps:
                    raise KilledError
                return super().chosen(first, num_steps)

        short = member(config, tmp_path / "pieces")
        short.batches.__class__ = Short
        return short

    for steps in (6, 8):
        with pytest.raises(KilledError):
            train([killed_after(steps)])
    (pieces,) = train([member(config, tmp_path / "pieces")])
    jax.tree.map(np.testing.assert_array_equal, whole, pieces)
    assert log(tmp_path / "whole") == log(tmp_path / "pieces")
    assert len(log(tmp_path / "whole").splitlines()) == 5


def test_the_length_of_a_call_changes_nothing(tmp_path, tiny):
    config, longer = tiny(), tiny()
    longer.train.steps_per_call = 7
    (one,) = train([member(config, tmp_path / "one")])
    (other,) = train([member(longer, tmp_path / "other")])
    jax.tree.map(np.testing.assert_array_equal, one, other)
    assert log(tmp_path / "one") == log(tmp_path / "other")


def test_a_call_of_one_step_has_no_loop_and_changes_nothing(tmp_path, tiny):
    config, single = tiny(), tiny()
    single.train.steps_per_call = 1
    (one,) = train([member(config, tmp_path / "one")])
    (other,) = train([member(single, tmp_path / "other")])
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-6), one, other)
    assert log(tmp_path / "one").count("\n") == log(tmp_path / "other").count("\n")


def test_streamed_windows_train_as_resident_ones_do(tmp_path, tiny):
    config, streaming = tiny(), tiny()
    streaming.train.resident_gb = 0.0
    (resident,) = train([member(config, tmp_path / "resident")])
    (streamed,) = train([member(streaming, tmp_path / "streamed")])
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), resident, streamed)


def test_a_finished_training_is_not_repeated(tmp_path, tiny):
    config = tiny()
    (first,) = train([member(config, tmp_path)])
    written = log(tmp_path)
    (again,) = train([member(config, tmp_path)])
    jax.tree.map(np.testing.assert_array_equal, first, again)
    assert log(tmp_path) == written


def test_a_loss_that_is_not_finite_ends_the_run(tmp_path, tiny):
    def diverge(variables, key, batch):
        loss = variables["params"].sum() * jnp.nan
        return loss, (variables, {"loss": loss})

    method = Method(lambda key, batch: {"params": jnp.ones(2)}, diverge, diverge, diverge)
    with pytest.raises(ConfigError, match=r"learning_rate"):
        train([replace(member(tiny(), tmp_path), method=method)])
