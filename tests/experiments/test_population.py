import jax
import numpy as np
import pytest

from audio.windows import find_windows
from experiments.batches import Batches
from experiments.errors import ConfigError
from experiments.methods import build
from experiments.metrics import read_metrics
from experiments.population import check_population, populations
from experiments.track import Member
from experiments.train import Call, plan_calls, train

RNG = np.random.default_rng(0)


def member(config, workdir, name, num_clips=20, num_ids=2):
    """A machine of its own sound; a clip has 16 windows."""
    frames = RNG.normal(-30, RNG.uniform(2, 8), (20 * num_clips, 128)).astype(np.float32)
    windows = find_windows(frames, np.arange(0, len(frames) + 1, 20), 5, 1)
    batches = Batches(windows, np.arange(num_clips) % num_ids, 64, config.seed)
    return Member(name, build(config, num_ids), batches, config, workdir / name)


def losses(one):
    return np.array([row["loss"] for row in read_metrics(one.workdir)])


def assert_alike(together, alone):
    """The same losses and parameters, as far as a product in another order of sums can be."""
    for ours, theirs in zip(train(together), (train([one])[0] for one in alone), strict=True):
        jax.tree.map(
            lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-3, atol=2e-4), ours, theirs
        )
    for ours, theirs in zip(together, alone, strict=True):
        assert len(losses(ours)) > 1
        np.testing.assert_allclose(losses(ours), losses(theirs), rtol=1e-5)


def moved(members, workdir):
    return [
        Member(one.name, one.method, one.batches, one.config, workdir / one.name) for one in members
    ]


def test_machines_train_together_as_they_do_alone(tmp_path, tiny):
    """Also where one has fewer clips and is done sooner."""
    members = [
        member(tiny(), tmp_path / "together", name, clips)
        for name, clips in (("fan", 20), ("pump", 12), ("valve", 32))
    ]
    assert len({one.num_steps for one in members}) == 3
    assert_alike(members, moved(members, tmp_path / "alone"))


def variants(tiny, workdir, *settings):
    members = []
    for i, (seed, model) in enumerate(settings):
        config = tiny()
        config.seed = seed
        config.model.update(model)
        members.append(member(config, workdir, str(i)))
    return members


@pytest.mark.parametrize(
    "settings",
    [
        [(0, {}), (1, {}), (2, {})],
        [
            (0, {"ordering": "middle_last"}),
            (0, dict(ordering="first_last", train_frames=(0,), score_frames=(0,))),
        ],
        [
            (0, dict(ordering=name, train_frames=(), score_frames=()))
            for name in ("causal", "reversed")
        ],
        [(0, dict(num_components=c, max_components=4)) for c in (1, 2, 4)],
    ],
    ids=["seeds", "which_frame", "causal_and_reversed", "mixture_counts"],
)
def test_seeds_orderings_and_mixtures_train_together_as_they_do_alone(tmp_path, tiny, settings):
    members = variants(tiny, tmp_path / "together", *settings)
    assert populations(members, "always") == [members]
    assert_alike(members, moved(members, tmp_path / "alone"))


def test_a_population_goes_on_where_it_was_killed(tmp_path, tiny):
    members = [
        member(tiny(), tmp_path / "whole", name, n) for name, n in (("fan", 20), ("pump", 12))
    ]
    whole = train(members)
    pieces = moved(members, tmp_path / "pieces")

    class KilledError(Exception):
        pass

    def stop(first, num_steps):
        if first >= 4:
            raise KilledError
        return Batches.chosen(pieces[0].batches, first, num_steps)

    pieces[0].batches.chosen = stop
    with pytest.raises(KilledError):
        train(pieces)
    del pieces[0].batches.chosen
    for ours, theirs in zip(train(pieces), whole, strict=True):
        jax.tree.map(np.testing.assert_array_equal, ours, theirs)
    for ours, theirs in zip(pieces, members, strict=True):
        assert read_metrics(ours.workdir) == read_metrics(theirs.workdir)


def test_one_that_was_finished_alone_is_left_as_it_was(tmp_path, tiny):
    members = [member(tiny(), tmp_path, name, n) for name, n in (("fan", 20), ("pump", 12))]
    (alone,) = train(members[:1])
    together = train(members)
    jax.tree.map(np.testing.assert_array_equal, together[0], alone)


def test_what_does_not_fit_on_the_device_trains_one_after_another(tmp_path, tiny):
    config = tiny()
    config.train.resident_gb = 1e-6
    members = [member(config, tmp_path / "small", name) for name in ("fan", "pump")]
    train(members)
    assert all(len(losses(one)) > 1 for one in members)


def test_only_one_shape_trains_together(tmp_path, tiny):
    wider = tiny()
    wider.model.hidden = (32,)
    longer = tiny()
    longer.train.num_epochs = 3
    a, b = member(tiny(), tmp_path, "a"), member(tiny(), tmp_path, "b")
    c, d = member(wider, tmp_path, "c"), member(longer, tmp_path, "d")
    assert populations([a, c, b, d], "always") == [[a, b], [c], [d]]
    assert populations([a, b], "never") == [[a], [b]]
    assert populations([a, b], "auto") == [[a], [b]]  # on a CPU


def test_an_unknown_choice_is_named():
    with pytest.raises(ConfigError, match=r"train\.population='maybe'"):
        check_population("maybe")


def test_calls_end_where_a_checkpoint_is_due():
    calls = list(plan_calls([0, 3], [10, 5], 4, 6))
    assert calls == [
        Call((0, 3), (2, 5)),
        Call((2, 5), (6, 5)),
        Call((6, 5), (10, 5)),
    ]
    assert [call.count for call in calls] == [2, 4, 4]
    assert list(plan_calls([10], [10], 4, 6)) == []
