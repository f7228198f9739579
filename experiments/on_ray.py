"""The points of a sweep as tasks of a Ray cluster, each on accelerators or pod slices of its own.

A point whose worker is lost is run again, from its last checkpoint: the work directory must lie
where every host sees it.
"""

import logging
import os
import socket
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import ray
from ray.exceptions import RayError, RayTaskError
from ray.util.placement_group import placement_group, remove_placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from experiments.command import import_tensorflow
from experiments.data import load_data
from experiments.errors import ConfigError
from experiments.experiment import DATA_SECTIONS
from experiments.launch import tabulate, unfinished
from experiments.points import Point

ROOT = Path(__file__).parents[1]


class Needs(NamedTuple):
    """What one point is given.

    Attributes:
        resources: of each of its hosts, by Ray's names, such as `{"GPU": 1}`; None for one GPU
            where the cluster has any, all TPUs of a host, or else one CPU.
        num_hosts: hosts that share a point; each runs one process.
        tpu_slice: a pod slice instead, as `VERSION:TOPOLOGY`, such as `v5p:2x2x2`.
        max_retries: how often a point is run again after its worker was lost.
    """

    resources: dict[str, float] | None = None
    num_hosts: int = 1
    tpu_slice: str = ""
    max_retries: int = 3

    @classmethod
    def parse(cls, resources: str, *args: Any) -> "Needs":
        """From `"GPU=1,CPU=4"`, or "" to leave it to the cluster.

        Raises:
            ConfigError: it does not read so.
        """
        try:
            pairs = [text.split("=") for text in resources.split(",") if text]
            return cls({name: float(number) for name, number in pairs} or None, *args)
        except ValueError:
            raise ConfigError(f"--resources={resources!r} must be such as GPU=1,CPU=4") from None


def run_on_ray(points: Sequence[Point], workdir: Path, needs: Needs) -> None:
    """Runs the points of a sweep that are left, as many at once as the cluster has room for.

    The cluster is the one that `RAY_ADDRESS` names, or this machine alone.

    Args:
        points: all of them.
        workdir: of the sweep.
        needs: what each is given.

    Raises:
        ConfigError, DataError: what a user can mend; points that failed are named together.
    """
    left, workdir = unfinished(points, workdir), workdir.absolute()
    _load_all(left)
    if not left:
        return
    environment = {"env_vars": {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path[1:]])}}
    with warnings.catch_warnings():
        # JAX warns of forks, but Ray's end at once in programs of their own.
        warnings.filterwarnings("ignore", "os.fork", RuntimeWarning)
        ray.init(log_to_driver=False, logging_level=logging.ERROR, runtime_env=environment)
    failed, done = [], len(points) - len(left)
    with ThreadPoolExecutor(len(left)) as pool:
        running = {pool.submit(_run_point, each, workdir, needs): each for each in left}
        try:
            for future in as_completed(running):
                done += 1
                point, error = running[future], future.exception()
                failed += [f"{point}: {error}"] if error else []
                print(f"[{done}/{len(points)}] {point}: {error or 'done'}", flush=True)
                tabulate(points, workdir)
        finally:
            ray.shutdown()
    if failed:
        raise ConfigError(" | ".join(failed))


def _load_all(points: Sequence[Point]) -> None:
    """Loads every data set once, here: what is wrong is said at once, and log-mels are kept."""
    settings = {repr([p.config[s] for s in DATA_SECTIONS if s in p.config]): p for p in points}
    for point in settings.values():
        load_data(point.config)


def _run_point(point: Point, workdir: Path, needs: Needs) -> None:
    """Runs a point to its end, over the loss of workers."""
    for attempt in range(needs.max_retries + 1):
        try:
            _attempt(point, workdir, needs)
            return
        except RayTaskError as error:
            raise error.cause from None
        except RayError as error:
            if not ray.is_initialized():
                return
            lost = f"{point}: worker lost ({type(error).__name__})"
            if attempt == needs.max_retries:
                raise ConfigError(f"{lost} {attempt + 1} times") from error
            print(f"{lost}; again from its last checkpoint", flush=True)


def _attempt(point: Point, workdir: Path, needs: Needs) -> None:
    """One process a host, until all are done or one has failed."""
    with _reserved(needs) as places:
        several = len(places) > 1
        address = ray.get(_free_address.options(**places[0]).remote()) if several else None
        folder = workdir / point.folder
        left = [
            _run_process.options(**place).remote(
                point.config, folder, Path.cwd(), address, len(places), i
            )
            for i, place in enumerate(places)
        ]
        try:
            while left:
                (first,), left = ray.wait(left, num_returns=1)
                ray.get(first)
        finally:
            for each in left:
                ray.cancel(each, force=True)


@contextmanager
def _reserved(needs: Needs) -> Iterator[list[dict[str, Any]]]:
    """Where each process of a point goes, as options of its task."""
    if needs.num_hosts == 1 and not needs.tpu_slice:
        yield [_options(needs.resources or _usual_resources())]
        return
    with _group(needs) as group:
        ray.get(group.ready())
        yield [
            _options(bundle)
            | {"scheduling_strategy": PlacementGroupSchedulingStrategy(group, index)}
            for index, bundle in enumerate(group.bundle_specs)
        ]


@contextmanager
def _group(needs: Needs) -> Iterator[Any]:
    """A placement group: a pod slice, or so many hosts."""
    if needs.tpu_slice:
        from ray.util.tpu import slice_placement_group

        version, _, topology = needs.tpu_slice.partition(":")
        held = slice_placement_group(topology=topology, accelerator_version=version)
        try:
            yield held.placement_group
        finally:
            held.shutdown()
        return
    bundle = needs.resources or _usual_resources()
    group = placement_group([bundle] * needs.num_hosts, strategy="SPREAD")
    try:
        yield group
    finally:
        remove_placement_group(group)


def _usual_resources() -> dict[str, float]:
    """One GPU, or all TPUs of a host, or one CPU: by what the cluster has."""
    if ray.cluster_resources().get("GPU"):
        return {"GPU": 1, "CPU": 1}
    tpus = max(node["Resources"].get("TPU", 0) for node in ray.nodes())
    return {"TPU": tpus, "CPU": 1} if tpus else {"CPU": 1}


def _options(resources: dict[str, float]) -> dict[str, Any]:
    """Resources as options of a task."""
    others = dict(resources)
    return {
        "num_cpus": others.pop("CPU", 0),
        "num_gpus": others.pop("GPU", 0),
        "resources": others,
    }


@ray.remote(max_retries=0)
def _free_address() -> str:
    """An address of this host that its process can listen on for the others."""
    with socket.socket() as listener:
        listener.bind(("", 0))
        return f"{ray.util.get_node_ip_address()}:{listener.getsockname()[1]}"


# A worker ends with its task, and so gives its accelerator's memory back.
@ray.remote(max_retries=0, max_calls=1)
def _run_process(
    config: Any, folder: Path, cwd: Path, address: str | None, num_processes: int, index: int
) -> None:
    """This host's part of a point; what it has to say goes to `log_<index>.txt` beside the rest."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"log_{index}.txt").open("ab") as log:
        for stream in (1, 2):
            os.dup2(log.fileno(), stream)
    if cwd.is_dir():
        os.chdir(cwd)
    import_tensorflow()
    if address:
        import jax

        jax.distributed.initialize(address, num_processes, index)
    from experiments.experiment import run

    run(config, folder, time.monotonic())
