r"""Trains one model per machine type on normal sound, scores every clip, writes the report.

    python -m experiments.run --config=configs/gmade_idnn.py
    python -m experiments.run --config=configs/gmade_idnn.py \
        --config.data.source=folder --config.data.root=DIR

DIR holds <machine>/train/normal_id_01_00000000.wav and <machine>/test/..., or MIMII's
<machine>/id_00/{normal,abnormal}/00000000.wav; .wav, .flac, .ogg, or ready log-mels as .npy.
Every key of the config can be set with --config.KEY=VALUE. Started again on the same --workdir,
it goes on from where it was stopped.

    python -m experiments.run --config=configs/gmade_causal.py --mode=sample

draws from the models that the same command without --mode has trained, and writes what they think
their machines sound like as log-mels, as sound and as a page, samples/index.html.

On a cluster: one process a host, with --distributed where the cluster is known to JAX (TPU pods,
Slurm), or with --coordinator=HOST:PORT --num_processes=N --process_id=I.
"""

import os
import sys
import time
from pathlib import Path

from absl import app, flags, logging
from ml_collections import config_flags

_CONFIG = config_flags.DEFINE_config_file("config", None, "The experiment: configs/NAME.py.")
_WORKDIR = flags.DEFINE_string("workdir", None, "Where files go (default: runs/NAME).")
_MODE = flags.DEFINE_enum("mode", "run", ["run", "sample"], "What is done with the config.")
_NUM_SAMPLES = flags.DEFINE_integer("num_samples", 3, "--mode=sample: clips of each machine id.")
_SAMPLE_SECONDS = flags.DEFINE_float(
    "sample_seconds", None, "--mode=sample: how long they are (default: as train clips are)."
)
_DISTRIBUTED = flags.DEFINE_bool("distributed", False, "Join the cluster JAX finds itself in.")
_COORDINATOR = flags.DEFINE_string("coordinator", None, "HOST:PORT of process 0.")
_NUM_PROCESSES = flags.DEFINE_integer("num_processes", None, "Processes in all.")
_PROCESS_ID = flags.DEFINE_integer("process_id", None, "Which of them this is.")
FLAG_ERRORS = (flags.Error, AttributeError, KeyError, TypeError, ValueError, OSError, SyntaxError)


def main(argv: list[str]) -> None:
    """Runs the experiment; what a user can mend ends in one line and exit status 2."""
    started = time.monotonic()
    if len(argv) > 1:
        fail(f"what is {argv[1]!r}? Settings are given as --config.KEY=VALUE; see --help")
    flag = flags.FLAGS["config"]
    config_path = Path(config_flags.get_config_filename(flag) if flag.present else "")
    if not config_path.is_file():
        fail(
            f"--config={config_path}: no such file; give one of configs/, such as "
            "--config=configs/gmade_idnn.py"
        )
    workdir = Path(_WORKDIR.value or Path("runs") / config_path.stem).expanduser()
    join_cluster()
    # Imported here, so that --help and a mistyped flag answer at once.
    import_tensorflow()
    from audio.clips import DataError
    from experiments.ensemble import run_ensemble
    from experiments.errors import ConfigError
    from experiments.experiment import run
    from scoring.members import EnsembleError

    logging.set_verbosity(logging.WARNING)
    try:
        config = _CONFIG.value
        if _MODE.value == "sample":
            from experiments.sample import sample

            page = sample(config, workdir, _NUM_SAMPLES.value, _SAMPLE_SECONDS.value)
            print(f"\nSamples: {page}")
            return
        run_it = run_ensemble if config.method == "ensemble" else run
        report = run_it(config, workdir, started)
    except (ConfigError, DataError, EnsembleError) as error:
        fail(str(error))
    except KeyboardInterrupt:
        print(f"\nstopped; the same command goes on from {workdir}", file=sys.stderr)
        sys.exit(130)
    if report is not None:
        print(f"\nReport: {report}")
        print("On your own clips:")
        print(f"  python -m experiments.run --config={config_path} --workdir=runs/mine \\")
        print("      --config.data.source=folder --config.data.root=DIR")
        print("  DIR/<machine>/train/normal_id_01_00000000.wav, DIR/<machine>/test/id_01_...wav")


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


if __name__ == "__main__":
    app.run(main, flags_parser=parse_flags)
