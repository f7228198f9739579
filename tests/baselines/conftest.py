import shutil

import jax
import pytest
from jaxtyping import install_import_hook

# Checks every shape annotation of the room at run time, in tests only.
install_import_hook("baselines", "beartype.beartype")


@pytest.fixture(autouse=True)
def strict_promotion():
    """No dtype or rank is ever promoted in silence."""
    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"):
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """For files as large as the published ones, which do not outlast the tests."""
    path = tmp_path_factory.mktemp("weights")
    yield path
    shutil.rmtree(path)
