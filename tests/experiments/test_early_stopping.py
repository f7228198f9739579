import numpy as np
import pytest

from experiments.early_stopping import EarlyStopping
from experiments.errors import ConfigError


def watching(path, losses, patience=2):
    """Looks at losses in turn; the variables say which look it was."""
    coming = iter(losses)
    watch = EarlyStopping(lambda variables: next(coming), patience, path)
    for look in range(len(losses)):
        watch.look(10 * (look + 1), {"look": np.full(3, look)})
    return watch


def best(watch):
    return watch.best({"look": np.zeros(3, int)})["look"][0]


@pytest.mark.parametrize(
    "losses, is_over, kept",
    [
        ([3.0], False, 0),
        ([3.0, 2.0, 2.5], False, 1),
        ([3.0, 2.0, 2.5, 2.1], True, 1),
        ([3.0, 2.0, 2.5, 1.9], False, 3),
        ([2.0, 2.0, 2.0], True, 0),  # as good is not better
    ],
)
def test_training_stops_when_the_best_is_so_many_looks_ago(tmp_path, losses, is_over, kept):
    watch = watching(tmp_path, losses)
    assert watch.is_over == is_over and watch.best_look == kept
    assert best(watch) == kept


def test_nothing_is_over_before_the_first_look(tmp_path):
    watch = EarlyStopping(lambda variables: 0.0, 1, tmp_path)
    watch.resume(0)
    assert not watch.is_over


def test_looks_after_the_step_of_a_checkpoint_are_forgotten(tmp_path):
    watching(tmp_path, [3.0, 2.0, 2.5, 2.1])
    watch = EarlyStopping(lambda variables: 1.0, 2, tmp_path)
    watch.resume(30)
    assert [row["step"] for row in watch.rows] == [10, 20, 30] and not watch.is_over
    watch.look(40, {"look": np.full(3, 7)})
    assert best(watch) == 7
    watch.resume(0)
    assert watch.rows == []


def test_a_held_out_loss_that_is_not_finite_is_named(tmp_path):
    with pytest.raises(ConfigError, match="the held-out loss is nan at step 10"):
        watching(tmp_path, [np.nan])
