import jax
import pytest


@pytest.fixture(autouse=True)
def strict_promotion():
    """No dtype or rank is ever promoted in silence in the density's own arithmetic."""
    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"):
        yield
