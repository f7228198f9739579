"""One fold of tri-training: nine trainings, each of them checkpointed and resumed by itself.

Retraining is with all labelled clips, as in Zhou and Li's tri-training, not with the bootstrap
sample once more. What models teach one another is derived from their checkpoints, so a run that was
stopped comes to the same pseudo-labels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from ml_collections import ConfigDict

from audio.windows import Windows
from experiments.batches import Batches
from experiments.method import Method, Variables
from experiments.score import each_chunk
from experiments.sounds import Fold, Sounds
from experiments.track import Member
from experiments.train import train
from sed.tritraining import (
    NUM_MODELS,
    PseudoLabels,
    bootstrap,
    confident,
    pool,
    softened,
    stratified_bootstrap,
    taught,
)

NAMES = (
    "supervised",
    "self_training",
    *(f"{kind}_{i + 1}" for kind in ("initial", "retrained") for i in range(NUM_MODELS)),
    "student",
)


class Heard(NamedTuple):
    """What a system says of a fold's clips: the probability of each class, (clips, classes) each.

    `train` has the labelled clips and then the unlabelled ones.
    """

    train: np.ndarray
    test: np.ndarray


class Model(NamedTuple):
    """A trained model, and what it says."""

    variables: Variables
    heard: Heard


@dataclass(frozen=True)
class Outcome:
    """A fold's end.

    Attributes:
        fold: which clips were what.
        test: (test clips, classes) probabilities of each system and each model, by name.
        taken: the pseudo-labels that each retrained model was given, of the unlabelled clips.
    """

    fold: Fold
    test: dict[str, np.ndarray]
    taken: dict[str, PseudoLabels]


def run_fold(sounds: Sounds, fold: Fold, method: Method, config: Any, workdir: Path) -> Outcome:
    """Trains all models of a fold, or what is left of them.

    Args:
        sounds: all clips.
        fold: which are labelled, unlabelled and tested.
        method: the classifier.
        config: the experiment, with its window.
        workdir: where each model has its folder.
    """
    school = School(sounds, fold, method, config, workdir)
    labels, num_labelled = sounds.labels[fold.labelled], len(fold.labelled)
    one_hot = np.eye(len(sounds.classes), dtype=np.float32)
    goes_on = config.tri.retrain == "go_on"

    def lesson(name: str, first: Model, more: PseudoLabels) -> Model:
        """Retrains a model with all labelled clips, and with more."""
        which = np.concatenate([np.arange(num_labelled), num_labelled + more.which])
        targets = one_hot[np.concatenate([labels, more.labels])]
        return school.teach(name, which, targets, first.variables if goes_on else None)

    def unlabelled(model: Model) -> np.ndarray:
        return model.heard.train[num_labelled:]

    supervised = school.teach("supervised", np.arange(num_labelled), one_hot[labels])
    window = config.self_training
    taken = {"self_training": confident(unlabelled(supervised), window.low, window.high)}
    self_trained = lesson("self_training", supervised, taken["self_training"])

    initial, retrained = [], []
    for i in range(NUM_MODELS):
        which = draw(np.random.default_rng([config.seed, fold.number, i]), labels, config)
        initial.append(school.teach(f"initial_{i + 1}", which, one_hot[labels[which]]))
    for i, model in enumerate(initial):
        name = f"retrained_{i + 1}"
        opinions = [unlabelled(each) for each in initial]
        taken[name] = taught(opinions, i, config.tri.threshold)
        retrained.append(lesson(name, model, taken[name]))

    pooled = _pooled([*initial, *retrained])
    everything = np.arange(len(pooled.train))
    soft = softened(pooled.train, config.tri.temperature).astype(np.float32)
    student = school.teach("student", everything, soft)
    models = [supervised, self_trained, *initial, *retrained, student]
    test = {name: model.heard.test for name, model in zip(NAMES, models, strict=True)}
    return Outcome(fold, {**test, "pool": pooled.test}, taken)


def draw(rng: np.random.Generator, labels: np.ndarray, config: Any) -> np.ndarray:
    """The sample of the labelled clips that a model starts from."""
    if config.tri.sample == "stratified":
        return stratified_bootstrap(rng, labels)
    return bootstrap(rng, len(labels)) if config.tri.sample == "plain" else np.arange(len(labels))


def _pooled(models: Sequence[Model]) -> Heard:
    heard = [model.heard for model in models]
    return Heard(pool(np.stack([h.train for h in heard])), pool(np.stack([h.test for h in heard])))


class School:
    """Teaches one model after another on the train clips of a fold.

    All share one array of frames, whatever clips they are given, so that nothing compiles twice.
    """

    def __init__(
        self, sounds: Sounds, fold: Fold, method: Method, config: Any, workdir: Path
    ) -> None:
        self.fold, self.method, self.config, self.workdir = fold, method, config, workdir
        train_clips = np.concatenate([fold.labelled, fold.unlabelled])
        self.windows = _windows(sounds.images[train_clips])
        self.test = _windows(sounds.images[fold.test])

    def teach(
        self, name: str, which: np.ndarray, targets: np.ndarray, start: Variables | None = None
    ) -> Model:
        """Trains a model on some of the clips.

        Args:
            name: one of `NAMES`.
            which: (n,) the train clips it is given, perhaps some twice.
            targets: (n, classes) float32, what it is told of them.
            start: what it has learned before; None to start anew.
        """
        config: Any = ConfigDict(self.config.to_dict())
        state = np.random.SeedSequence([config.seed, self.fold.number, NAMES.index(name)])
        config.seed = int(state.generate_state(1)[0] >> 1)
        num, every = len(which), self.windows
        given = Windows(every.frames, every.starts[which], np.arange(num), every.num_frames)
        batches = Batches(
            given,
            np.zeros(num),
            config.train.batch_size,
            config.seed,
            {"targets": targets},
            config.train.steps_per_epoch,
        )
        method = self.method
        if start is not None:
            method = method._replace(init=lambda key, batch: start)
        title = f"fold {self.fold.number} {name}"
        (variables,) = train([Member(title, method, batches, config, self.workdir / name)])
        return Model(variables, Heard(self._ask(variables, every), self._ask(variables, self.test)))

    def _ask(self, variables: Variables, windows: Windows) -> np.ndarray:
        """The probability of each class, (clips, classes) float64."""
        ids, size = np.zeros(len(windows), np.int32), self.config.score.batch_size
        chunks = each_chunk(self.method.score, variables, windows, ids, size)
        return np.concatenate(list(chunks)).astype(np.float64)


def _windows(images: np.ndarray) -> Windows:
    """Whole clips as windows."""
    num, length, mels = images.shape
    return Windows(images.reshape(-1, mels), length * np.arange(num), np.arange(num), length)
