"""The points of a sweep are run, and what they came to is put side by side."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from pathlib import Path

from experiments import workdir as work
from experiments.errors import ConfigError
from experiments.experiment import run_all
from experiments.methods import build
from experiments.points import Point
from experiments.population import shape_of, together
from experiments.processes import is_main, wait
from scoring.figures import png, svg
from scoring.files import write_bytes, write_text
from scoring.metrics import evaluate, with_averages
from scoring.rows import read_scores
from scoring.sweep import Spread, format_sweep, spreads, sweep_figure, write_sweep


def unfinished(points: Sequence[Point], workdir: Path) -> list[Point]:
    """The points that are still to be run, or to be run to their end.

    Raises:
        ConfigError: a point's directory holds another config.
    """
    for point in points:
        work.check(workdir / point.folder, point.config)
    left = [p for p in points if not work.is_finished(workdir / p.folder, p.config)]
    # No process may finish a point before all have seen which there are.
    wait("points")
    return left


def run_here(points: Sequence[Point], workdir: Path, started: float) -> None:
    """Runs the points of a sweep that are left, those of one shape together where that is faster.

    What is wrong with a point does not keep the others from being run.

    Args:
        points: all of them.
        workdir: of the sweep.
        started: when the command was started, by `time.monotonic`.

    Raises:
        ConfigError: a point failed; all that did are named.
    """
    left, failed = unfinished(points, workdir), []
    done = len(points) - len(left)
    for group in _groups(left):
        done += len(group)
        if is_main():
            print(f"\n[{done}/{len(points)}] " + "; ".join(map(str, group)), flush=True)
        try:
            run_all([(point.config, workdir / point.folder) for point in group], started)
        except ConfigError as error:
            failed.append("; ".join(map(str, group)) + f": {error}")
        wait(str(done))
        if is_main():
            tabulate(points, workdir)
    if failed:
        raise ConfigError(" | ".join(failed))


def _groups(points: Sequence[Point]) -> list[list[Point]]:
    """Points that train as one program; how many ids there are does not matter here."""
    groups: dict[Hashable, list[Point]] = defaultdict(list)
    for i, point in enumerate(points):
        config = point.config
        shape = shape_of(build(config, 2), config) if together(config.train.population) else i
        groups[shape].append(point)
    return list(groups.values())


def tabulate(points: Sequence[Point], workdir: Path) -> list[Spread]:
    """Writes table and figure of the points that are finished, if any are."""
    seeds = defaultdict(list)
    for point in points:
        folder = workdir / point.folder
        if work.is_finished(folder, point.config):
            rows = read_scores(folder / "scores.csv")
            seeds[point.name].append(with_averages(evaluate(rows)))
    table = spreads(seeds)
    if table:
        figure = sweep_figure(table)
        write_bytes(workdir / "sweep.png", png(figure, dpi=150))
        write_text(workdir / "sweep.svg", svg(figure))
        write_sweep(workdir / "sweep.csv", table)
    return table


def describe(points: Sequence[Point], workdir: Path) -> str:
    """A line a point: how far it is, and its name."""
    lines = []
    for point in points:
        folder = workdir / point.folder
        if work.is_finished(folder, point.config):
            state = "finished"
        else:
            state = "begun" if (folder / "config.json").exists() else "to do"
        lines.append(f"{state:8}  {point}")
    return "\n".join(lines)


def conclude(points: Sequence[Point], workdir: Path) -> None:
    """Says what the sweep came to, and where it lies."""
    table = tabulate(points, workdir)
    if table:
        print("\n" + format_sweep(table))
        print(f"\nTable: {workdir / 'sweep.csv'}\nFigure: {workdir / 'sweep.png'}")
