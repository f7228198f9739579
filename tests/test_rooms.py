"""The import table: who may import whom. A room that reaches outside it fails here."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODELS = {"jax", "flax", "optax", "numpy", "jaxtyping"}
MAY_IMPORT = {
    "audio": {"numpy", "tensorflow", "tensorflow_datasets", "librosa", "soundfile"},
    "gmade": {"jax", "numpy", "jaxtyping"},
    "ssl_cls": MODELS,
    "baselines": MODELS,
    "sed": MODELS,
    "scoring": {"numpy", "scipy", "sklearn", "matplotlib", "jinja2"},
    "configs": {"ml_collections"},
}
LEAVES = set(MAY_IMPORT) - {"configs"}
ROOMS = [name for name in [*MAY_IMPORT, "experiments"] if (ROOT / name).is_dir()]


def imports(path):
    """Names of the modules a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            yield node.module


def files(room):
    return sorted((ROOT / room).rglob("*.py"))


@pytest.mark.parametrize("room", [room for room in ROOMS if room != "experiments"])
def test_a_room_imports_only_what_the_table_allows(room):
    allowed = MAY_IMPORT[room] | {room} | set(sys.stdlib_module_names)
    for path in files(room):
        strangers = {name for name in imports(path) if name.split(".")[0] not in allowed}
        assert not strangers, f"{path.relative_to(ROOT)} imports {sorted(strangers)}"


@pytest.mark.parametrize("room", ROOMS)
def test_nobody_imports_the_tests_or_private_jax(room):
    for path in files(room):
        for name in imports(path):
            assert name.split(".")[0] != "tests"
            assert not name.startswith("jax._src")


def test_the_table_names_every_room():
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages == set(ROOMS)


def test_no_rooms_for_odds_and_ends():
    names = {path.stem for room in ROOMS for path in [*files(room), *(ROOT / room).rglob("*/")]}
    assert not names & {"utils", "util", "common", "core", "helpers", "misc"}
