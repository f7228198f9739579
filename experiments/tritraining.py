"""Tri-training from end to end: sounds, folds, models, tables, report (Shi et al., ICASSP 2019).

The details of the paper are not public. What it does not say is chosen here as the field would, and
is a key of the config: what is sure enough (`tri.threshold`), that every class keeps its size in a
bootstrap sample (`tri.sample`), and that retraining starts anew (`tri.retrain`), since a model that
goes on keeps the mistakes it has learned. There is one round of it. Every model is of one
network, with as many steps of training, whatever it is trained on. No label of a test clip, and
none that was hidden, decides anything.

Models are trained one after another: as a population (`experiments.population`) their convolutions
would be grouped, which a CPU is slow at.
"""

from pathlib import Path
from typing import Any

import numpy as np
from ml_collections import ConfigDict

from experiments import methods
from experiments import workdir as work
from experiments.errors import ConfigError
from experiments.experiment import facts
from experiments.processes import is_main
from experiments.sounds import Sounds, draw_folds, load_sounds, num_frames
from experiments.steps import check_training
from experiments.strange import playable
from experiments.tritraining_fold import Outcome, run_fold
from scoring.classes import format_classes
from scoring.summary import count
from scoring.tritraining import SYSTEMS, Answers, PseudoLabel, write_tritraining
from scoring.tritraining_page import Clip, Page, spoken, write_page

# Words of the config, and those that are known.
WORDS = {
    ("tri", "sample"): ("stratified", "plain", "all"),
    ("tri", "retrain"): ("anew", "go_on"),
    ("report", "system"): SYSTEMS,
}


def run(config: Any, workdir: Path, started: float) -> Path | None:
    """Runs an experiment, or what is left of it.

    Args:
        config: as `configs/tritrain.py` makes it.
        workdir: where all its files go.
        started: when the command was started, by `time.monotonic`.

    Returns:
        The report, or None on all processes but the main one.

    Raises:
        ConfigError, DataError: what a user can mend.
    """
    work.check(workdir, config)
    check_training(config)
    _check(config)
    whole: Any = ConfigDict(config.to_dict())
    whole.window = ConfigDict(dict(num_frames=num_frames(config), hop=1))
    sounds = load_sounds(config)
    folds = draw_folds(sounds, config)
    method = methods.build(whole, len(sounds.classes))
    if is_main():
        work.claim(workdir, config)
        for note in sounds.notes:
            print(note)
    outcomes = [
        run_fold(sounds, fold, method, whole, workdir / f"fold_{fold.number}") for fold in folds
    ]
    return _report(config, workdir, sounds, outcomes, started) if is_main() else None


def _check(config: Any) -> None:
    tri, window, train = config.tri, config.self_training, config.train
    if not 0 <= tri.threshold < 1:
        raise ConfigError(f"tri.threshold={tri.threshold} must be in [0, 1)")
    if not 0 <= window.low < window.high <= 1:
        raise ConfigError(
            f"self_training.low={window.low} must be below self_training.high={window.high}, both "
            "in [0, 1]"
        )
    if not tri.temperature > 0:
        raise ConfigError(f"tri.temperature={tri.temperature} must be above 0")
    for (section, name), known in WORDS.items():
        word = config[section][name]
        if word not in known:
            raise ConfigError(f"{section}.{name}={word!r} is not known: use {', '.join(known)}")
    if train.steps_per_epoch < 1 or config.score.batch_size < 1:
        raise ConfigError("train.steps_per_epoch and score.batch_size must be 1 or more")


def answers_of(sounds: Sounds, outcomes: list[Outcome]) -> Answers:
    """The test clips of all folds, end to end."""
    clips = np.concatenate([outcome.fold.test for outcome in outcomes])
    return Answers(
        classes=sounds.classes,
        folds=np.repeat([o.fold.number for o in outcomes], [len(o.fold.test) for o in outcomes]),
        names=[sounds.clips[i].name for i in clips],
        labels=sounds.labels[clips],
        probs={name: np.concatenate([o.test[name] for o in outcomes]) for name in outcomes[0].test},
    )


def pseudo_labels_of(sounds: Sounds, outcomes: list[Outcome]) -> list[PseudoLabel]:
    """Everything that models were taught, beside the truth that was hidden from them."""
    names, truths = [clip.name for clip in sounds.clips], sounds.labels.tolist()

    def one(fold: int, model: str, clip: int, label: int) -> PseudoLabel:
        return PseudoLabel(
            fold, model, names[clip], sounds.classes[label], sounds.classes[truths[clip]]
        )

    return [
        one(outcome.fold.number, model, clip, label)
        for outcome in outcomes
        for model, (which, labels) in outcome.taken.items()
        for clip, label in zip(outcome.fold.unlabelled[which], labels, strict=True)
    ]


def _report(
    config: Any, workdir: Path, sounds: Sounds, outcomes: list[Outcome], started: float
) -> Path:
    answers, labels = answers_of(sounds, outcomes), pseudo_labels_of(sounds, outcomes)
    rates = write_tritraining(workdir, answers, labels, config.report.system)
    print("Equal error rate, %")
    print(format_classes([spoken(name) for name in SYSTEMS], rates))
    data = f"{count(len(sounds.clips), 'clip')}, {count(len(sounds.classes), 'class', 'classes')}"
    page = Page(
        title=f"{workdir.name}: tri-training",
        answers=answers,
        labels=labels,
        num_labelled=float(np.mean([len(o.fold.labelled) for o in outcomes])),
        num_unlabelled=float(np.mean([len(o.fold.unlabelled) for o in outcomes])),
        clips=_clips(config, sounds, outcomes, answers),
        config=(workdir / "config.json").read_text(),
        facts={**facts(config, [], started, sounds.notes), "Data": data},
        skipped=sounds.skipped,
    )
    return write_page(workdir / "report.html", page)


def _clips(config: Any, sounds: Sounds, outcomes: list[Outcome], answers: Answers) -> list[Clip]:
    """Test clips that the pool got right and supervised learning wrong, the surest first."""
    clips = np.concatenate([outcome.fold.test for outcome in outcomes])
    heard = {name: answers.probs[name].argmax(1) for name in SYSTEMS}
    gained = (heard["pool"] == answers.labels) & (heard["supervised"] != answers.labels)
    order: list[int] = np.argsort(-answers.probs["pool"].max(1), kind="stable").tolist()
    chosen = [i for i in order if gained[i]][: config.report.num_clips]
    rate, channel = config.logmel.sample_rate, config.data.channel
    return [
        Clip(
            name=answers.names[i],
            truth=sounds.classes[answers.labels[i]],
            said={
                name: (sounds.classes[heard[name][i]], float(answers.probs[name][i].max()))
                for name in SYSTEMS
            },
            audio=playable(sounds.clips[clips[i]], rate, channel, None),
        )
        for i in chosen
    ]
