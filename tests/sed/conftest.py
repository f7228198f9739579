import jax
import pytest
from jaxtyping import install_import_hook

# Checks every shape annotation of the room at run time, in tests only.
install_import_hook("sed", "beartype.beartype")


@pytest.fixture(autouse=True)
def strict_promotion():
    """No dtype or rank is ever promoted in silence."""
    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"):
        yield
