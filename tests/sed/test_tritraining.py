import numpy as np
import pytest

from sed.tritraining import (
    agreed,
    bootstrap,
    confident,
    pool,
    softened,
    stratified_bootstrap,
    taught,
)

SURE, UNSURE, OTHER = [0.9, 0.1], [0.6, 0.4], [0.1, 0.9]


def test_both_must_be_sure_of_the_same_class():
    a = np.array([SURE, SURE, SURE, UNSURE, OTHER])
    b = np.array([SURE, UNSURE, OTHER, SURE, OTHER])
    which, labels = agreed(a, b, 0.8)
    np.testing.assert_array_equal(which, [0, 4])
    np.testing.assert_array_equal(labels, [0, 1])


def test_as_sure_as_the_threshold_is_not_over_it():
    a = np.array([SURE])
    assert len(agreed(a, a, 0.9).which) == 0 and len(agreed(a, a, 0.89).which) == 1


def test_the_third_is_not_asked():
    a, b = np.array([SURE, OTHER]), np.array([SURE, OTHER])
    for third in (np.array([SURE, OTHER]), np.array([OTHER, SURE]), np.array([UNSURE, UNSURE])):
        np.testing.assert_array_equal(taught([third, a, b], 0, 0.8).labels, [0, 1])
        np.testing.assert_array_equal(taught([a, third, b], 1, 0.8).labels, [0, 1])
        np.testing.assert_array_equal(taught([a, b, third], 2, 0.8).labels, [0, 1])


def test_self_training_takes_what_lies_in_its_window():
    probs = np.array([[0.5, 0.5], [0.7, 0.3], [0.2, 0.8], [0.95, 0.05]])
    which, labels = confident(probs, 0.6, 0.9)
    np.testing.assert_array_equal(which, [1, 2])
    np.testing.assert_array_equal(labels, [0, 1])
    assert len(confident(probs, 0.6).which) == 3


def test_a_bootstrap_is_as_large_as_what_it_is_drawn_from_and_repeats_some():
    drawn = bootstrap(np.random.default_rng(0), 1000)
    assert drawn.shape == (1000,) and drawn.min() >= 0 and drawn.max() < 1000
    assert len(np.unique(drawn)) / 1000 == pytest.approx(1 - np.exp(-1), abs=0.03)


def test_a_stratified_bootstrap_keeps_every_class_as_large_as_it_was():
    labels = np.array([2, 0, 0, 1, 0, 1])
    for seed in range(20):
        drawn = stratified_bootstrap(np.random.default_rng(seed), labels)
        np.testing.assert_array_equal(np.bincount(labels[drawn]), [3, 2, 1])


def test_samples_differ_from_seed_to_seed_alone():
    labels = np.repeat(np.arange(3), 4)
    one, again, other = (
        stratified_bootstrap(np.random.default_rng(seed), labels) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


def test_the_pool_is_the_mean():
    probs = np.stack([np.array([SURE]), np.array([OTHER]), np.array([SURE])])
    np.testing.assert_allclose(pool(probs), [[1.9 / 3, 1.1 / 3]])


def test_a_temperature_softens_and_one_changes_nothing():
    probs = np.array([SURE, [1.0, 0.0]])
    np.testing.assert_allclose(softened(probs, 1.0), probs, atol=1e-12)
    np.testing.assert_allclose(softened(probs, 2.0)[0], [0.75, 0.25])
    assert np.isfinite(softened(probs, 5.0)).all()


def nearest_centre(points, labels, asked, num_classes=2):
    """A classifier of points by their distance to each class's mean: softmax of `-distance²`."""
    centres = np.stack([points[labels == each].mean(0) for each in range(num_classes)])
    logits = -np.square(asked[:, None] - centres).sum(-1)
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def test_the_whole_scheme_hears_better_with_unlabelled_points_and_is_hardly_ever_mistaken():
    """Two round clouds, three labelled points of each, over many draws."""
    before, after, mistakes = [], [], []
    for seed in range(50):
        rng = np.random.default_rng(seed)
        truth = np.repeat([0, 1], 200)
        points = rng.normal(size=(400, 2)) + 2.4 * truth[:, None] * np.array([1.0, 0.0])
        labelled = np.array([0, 1, 2, 200, 201, 202])
        rest = np.setdiff1d(np.arange(400), labelled)
        known, unknown = points[labelled], points[rest]
        draws = [stratified_bootstrap(rng, truth[labelled]) for _ in range(3)]
        initial = [nearest_centre(known[d], truth[labelled][d], unknown) for d in draws]
        retrained = []
        for model in range(3):
            which, labels = taught(initial, model, 0.9)
            mistakes.append((labels != truth[rest][which]).mean())
            joined = np.concatenate([known, unknown[which]])
            heard = np.concatenate([truth[labelled], labels])
            retrained.append(nearest_centre(joined, heard, unknown))
        alone = nearest_centre(known, truth[labelled], unknown)
        before.append((alone.argmax(1) == truth[rest]).mean())
        after.append((pool(np.stack(initial + retrained)).argmax(1) == truth[rest]).mean())
    assert np.mean(after) > np.mean(before) + 0.01
    assert np.mean(mistakes) < 0.5 * (1 - np.mean(before))
