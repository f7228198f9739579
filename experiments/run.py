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

import time
from importlib import import_module
from pathlib import Path

from absl import app, flags

from experiments import command

_MODE = flags.DEFINE_enum("mode", "run", ["run", "sample"], "What is done with the config.")
_NUM_SAMPLES = flags.DEFINE_integer("num_samples", 3, "--mode=sample: clips of each machine id.")
_SAMPLE_SECONDS = flags.DEFINE_float(
    "sample_seconds", None, "--mode=sample: how long they are (default: as train clips are)."
)
command.show_flags()


# Methods that judge no machines, and what runs them: `(config, workdir, started) -> report`.
OTHERS = {
    "detector": "experiments.detection",
    "detectors": "experiments.detectors",
    "media": "experiments.media",
    "tritraining": "experiments.tritraining",
}


def main(argv: list[str]) -> None:
    """Runs the experiment; what a user can mend ends in one line and exit status 2."""
    started = time.monotonic()
    path, workdir = command.find_files(argv, "configs/gmade_idnn.py")
    command.join_cluster()
    # What takes long to import is imported here, so that --help and a mistyped flag answer at once.
    command.import_tensorflow()
    with command.what_a_user_can_mend(workdir):
        config = flags.FLAGS.config
        if _MODE.value == "sample":
            from experiments.sample import sample

            page = sample(config, workdir, _NUM_SAMPLES.value, _SAMPLE_SECONDS.value)
            print(f"\nSamples: {page}")
        elif config.method == "made_binary":
            from experiments.binary import run_binary

            results = run_binary(config, workdir)
            if results is not None:
                print(f"\nResults: {results}")
        elif config.method in OTHERS:
            page = import_module(OTHERS[config.method]).run(config, workdir, started)
            if page is not None:
                print(f"\nReport: {page}")
        elif config.method == "ensemble":
            from experiments.ensemble import run_ensemble

            conclude(run_ensemble(config, workdir, started), path)
        else:
            from experiments.experiment import run

            conclude(run(config, workdir, started), path)


def conclude(report: Path | None, config_path: Path) -> None:
    """Says where the report is, and how to have one of one's own clips."""
    if report is None:
        return
    print(f"\nReport: {report}")
    print("On your own clips:")
    print(f"  python -m experiments.run --config={config_path} --workdir=runs/mine \\")
    print("      --config.data.source=folder --config.data.root=DIR")
    print("  DIR/<machine>/train/normal_id_01_00000000.wav, DIR/<machine>/test/id_01_...wav")


if __name__ == "__main__":
    app.run(main, flags_parser=command.parse_flags)
