"""What the commands share: their flags, and how they say what a user can mend."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from absl import flags, logging
from ml_collections import config_flags

_CONFIG = config_flags.DEFINE_config_file("config", None, "The experiment: configs/NAME.py.")
_WORKDIR = flags.DEFINE_string("workdir", None, "Where files go (default: runs/NAME).")
_DISTRIBUTED = flags.DEFINE_bool("distributed", False, "Join the cluster JAX finds itself in.")
_COORDINATOR = flags.DEFINE_string("coordinator", None, "HOST:PORT of process 0.")
_NUM_PROCESSES = flags.DEFINE_integer("num_processes", None, "Processes in all.")
_PROCESS_ID = flags.DEFINE_integer("process_id", None, "Which of them this is.")
FLAGS = ("config", "workdir", "distributed", "coordinator", "num_processes", "process_id")
FLAG_ERRORS = (flags.Error, AttributeError, KeyError, TypeError, ValueError, OSError, SyntaxError)


def show_flags() -> None:
    """Makes `--help` of the module that calls this tell of the shared flags too."""
    for name in FLAGS:
        flags.declare_key_flag(name)


def find_files(argv: list[str], example: str) -> tuple[Path, Path]:
    """The config file and the work directory that the flags name.

    Args:
        argv: what is left of the command line.
        example: a config file to name to who names none.
    """
    if len(argv) > 1:
        fail(f"what is {argv[1]!r}? Settings are given as --config.KEY=VALUE; see --help")
    flag = flags.FLAGS["config"]
    path = Path(config_flags.get_config_filename(flag) if flag.present else "")
    if not path.is_file():
        fail(f"--config={path}: no such file; give one of configs/, such as --config={example}")
    return path, Path(_WORKDIR.value or Path("runs") / path.stem).expanduser()


@contextmanager
def what_a_user_can_mend(workdir: Path) -> Iterator[None]:
    """Ends the command in one line, with exit status 2, where it is the user's to mend."""
    from audio.clips import DataError
    from experiments.errors import ConfigError
    from scoring.members import EnsembleError

    logging.set_verbosity(logging.WARNING)
    try:
        yield
    except (ConfigError, DataError, EnsembleError) as error:
        fail(str(error))
    except KeyboardInterrupt:
        print(f"\nstopped; the same command goes on from {workdir}", file=sys.stderr)
        sys.exit(130)


def import_tensorflow() -> None:
    """Imports TensorFlow without its notes on devices: it only reads sound here."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # It writes them to the descriptor itself, before it looks at its own log level.
    sys.stderr.flush()
    kept = os.dup(2)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        import tensorflow  # noqa: F401
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def join_cluster() -> None:
    """Makes this process one of several, where the flags say so."""
    if not (_DISTRIBUTED.value or _COORDINATOR.value):
        return
    import jax

    if _COORDINATOR.value:
        jax.distributed.initialize(_COORDINATOR.value, _NUM_PROCESSES.value, _PROCESS_ID.value)
    else:
        jax.distributed.initialize()


def fail(message: str) -> None:
    """Says what is wrong in one line and exits with status 2."""
    print("error: " + " ".join(message.split()), file=sys.stderr, flush=True)
    # Past any thread of JAX's or TensorFlow's that would wait for the other processes.
    os._exit(2)


def parse_flags(argv: list[str]) -> list[str]:
    """Parses the command line; a mistake ends in one line and exit status 2."""
    try:
        return flags.FLAGS(argv)
    except FLAG_ERRORS as error:
        fail(str(error.args[0] if error.args else error))
        raise
