r"""Runs a config at every point of its `sweep()`; leaves one table and one figure of all of them.

    python -m experiments.sweep --config=configs/ablate_order.py
    python -m experiments.sweep --config=configs/ablate_order.py --workdir=runs/order \
        --config.data.source=folder --config.data.root=DIR --config.train.num_epochs=30

Each point is an experiment of its own in points/ of the work directory, with its report. What is
finished is not run again: stopped and started again, a sweep goes on where it was. Table and figure
(sweep.csv, sweep.svg, sweep.png) are written anew whenever a point is done.

--launcher=ray runs the points as tasks of a Ray cluster (pip install -e ".[sweep]"), one GPU, TPU
host or pod slice each; RAY_ADDRESS says which cluster, without it this machine is one. A point
whose worker is lost goes on from its last checkpoint on another.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from absl import app, flags

from experiments import command

_LIST = flags.DEFINE_bool("list", False, "Say what the points are, and how far each is, and end.")
_LAUNCHER = flags.DEFINE_enum("launcher", "local", ("local", "ray"), "Where points are run.")
_RESOURCES = flags.DEFINE_string(
    "resources", "", "Ray: what each host of a point needs, such as GPU=1,CPU=4."
)
_NUM_HOSTS = flags.DEFINE_integer("num_hosts", 1, "Ray: hosts that share a point.", 1)
_TPU_SLICE = flags.DEFINE_string("tpu_slice", "", "Ray: a pod slice a point, such as v5p:2x2x2.")
_MAX_RETRIES = flags.DEFINE_integer(
    "max_retries", 3, "Ray: how often a point is run again after its worker was lost.", 0
)
command.show_flags()


def main(argv: list[str]) -> None:
    """Runs the sweep; what a user can mend ends in one line and exit status 2."""
    started = time.monotonic()
    path, workdir = command.find_files(argv, "configs/ablate_order.py")
    command.join_cluster()
    command.import_tensorflow()
    with command.what_a_user_can_mend(workdir):
        from experiments.launch import conclude, describe, run_here
        from experiments.points import load_sweep, points

        every = points(flags.FLAGS.config, load_sweep(path))
        if _LIST.value:
            print(describe(every, workdir))
            return
        try:
            if _LAUNCHER.value == "ray":
                launch_on_ray(every, workdir)
            else:
                run_here(every, workdir, started)
        finally:
            conclude(every, workdir)


def launch_on_ray(points: Sequence[Any], workdir: Path) -> None:
    """Hands the points to Ray, where it is installed."""
    from experiments.errors import ConfigError

    try:
        from experiments.on_ray import Needs, run_on_ray
    except ModuleNotFoundError as error:
        raise ConfigError(f'--launcher=ray: {error}: pip install -e ".[sweep]"') from error
    hosts = _NUM_HOSTS.value, _TPU_SLICE.value, _MAX_RETRIES.value
    run_on_ray(points, workdir, Needs.parse(_RESOURCES.value, *hosts))


if __name__ == "__main__":
    app.run(main, flags_parser=command.parse_flags)
