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
    "baselines": MODELS | {"safetensors", "sklearn"},
    "sed": MODELS,
    "scoring": {"numpy", "scipy", "sklearn", "matplotlib", "jinja2", "sed_eval"},
    "configs": {"ml_collections"},
}
# What single files may import besides, where it is used and not when they are imported.
LAZILY = {
    "baselines/cnn14.py": {"librosa"},
    "baselines/tensorflow_file.py": {"tensorflow"},
    "baselines/tflite.py": {"ai_edge_litert"},
}
LEAVES = set(MAY_IMPORT) - {"configs"}
ROOMS = [name for name in [*MAY_IMPORT, "experiments"] if (ROOT / name).is_dir()]


def imports(path):
    """Names of the modules a file imports, wherever in it."""
    yield from imported(ast.walk(ast.parse(path.read_text())), path)


def imports_at_once(path):
    """Names of the modules that are imported whenever a file is."""
    yield from imported(ast.parse(path.read_text()).body, path)


def imported(nodes, path):
    for node in nodes:
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
        file = path.relative_to(ROOT).as_posix()
        lazily = allowed | LAZILY.get(file, set())
        strangers = {name for name in imports(path) if name.split(".")[0] not in lazily}
        strangers |= {name for name in imports_at_once(path) if name.split(".")[0] not in allowed}
        assert not strangers, f"{file} imports {sorted(strangers)}"


@pytest.mark.parametrize("room", ROOMS)
def test_nobody_imports_the_tests_or_private_jax(room):
    for path in files(room):
        for name in imports(path):
            assert name.split(".")[0] != "tests"
            assert not name.startswith("jax._src")


def test_the_table_names_every_room():
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages == {*ROOMS, "tests"}


def test_no_rooms_for_odds_and_ends():
    names = {path.stem for room in ROOMS for path in [*files(room), *(ROOT / room).rglob("*/")]}
    assert not names & {"utils", "util", "common", "core", "helpers", "misc"}
