"""Tri-training: what three models that heard different clips teach one another, on arrays alone.

Shi et al., "Semi-supervised acoustic event detection based on tri-training" (ICASSP 2019), after
Zhou and Li, "Tri-training: exploiting unlabeled data using three classifiers" (TKDE 2005). Three
models are trained on bootstrap samples of the labelled clips; each is retrained with all labelled
clips and those unlabelled ones of which the other two are sure of the same class; the six are
pooled, and a student learns what the pool says. Self-training, to compare with: one model, which
teaches itself.

How bootstrap samples are drawn and how sure is sure the paper's abstract does not say, and its
details are not public: these are the field's usual choices.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

NUM_MODELS = 3


class PseudoLabels(NamedTuple):
    """What models say of some of the unlabelled clips.

    Attributes:
        which: the clips, in order.
        labels: the class of each.
    """

    which: Int[np.ndarray, " some"]
    labels: Int[np.ndarray, " some"]


def bootstrap(rng: np.random.Generator, num: int) -> Int[np.ndarray, " num"]:
    """As many of `num` clips, drawn with replacement (Efron, 1979); in order."""
    return np.sort(rng.integers(0, num, num))


def stratified_bootstrap(
    rng: np.random.Generator, labels: Int[np.ndarray, " num"]
) -> Int[np.ndarray, " num"]:
    """As `bootstrap` within each class, which keeps its number of clips.

    With four clips of each of ten classes, a plain bootstrap misses a whole class in one sample of
    seven; that model could never agree to it.

    Args:
        rng: what decides.
        labels: the class of each clip.
    """
    members = [np.flatnonzero(labels == each) for each in np.unique(labels)]
    return np.sort(np.concatenate([clips[bootstrap(rng, len(clips))] for clips in members]))


def agreed(
    probs_a: Float[np.ndarray, "clips classes"],
    probs_b: Float[np.ndarray, "clips classes"],
    threshold: float,
) -> PseudoLabels:
    """The clips of which two models name the same class, each with a probability over a threshold.

    Whom they teach is the third, whose own opinion is not asked.
    """
    labels = probs_a.argmax(1)
    sure = np.minimum(probs_a.max(1), probs_b.max(1)) > threshold
    (which,) = np.nonzero(sure & (labels == probs_b.argmax(1)))
    return PseudoLabels(which, labels[which])


def taught(
    probs: Sequence[Float[np.ndarray, "clips classes"]], pupil: int, threshold: float
) -> PseudoLabels:
    """What the other two of three models teach one of them."""
    first, second = (probs[i] for i in range(NUM_MODELS) if i != pupil)
    return agreed(first, second, threshold)


def confident(
    probs: Float[np.ndarray, "clips classes"], low: float, high: float = 1.0
) -> PseudoLabels:
    """The clips whose top class has a probability over `low` and not over `high`.

    A window, since a model learns little from clips of which it is sure already.
    """
    top = probs.max(1)
    (which,) = np.nonzero((top > low) & (top <= high))
    return PseudoLabels(which, probs.argmax(1)[which])


def pool(
    probs: Float[np.ndarray, "models clips classes"],
) -> Float[np.ndarray, "clips classes"]:
    """The mean of all models' probabilities."""
    return probs.mean(0)


def softened(
    probs: Float[np.ndarray, "clips classes"], temperature: float
) -> Float[np.ndarray, "clips classes"]:
    """Probabilities to the power of `1 / temperature`, which sum to one again.

    What a softmax would give if its logits were divided by the temperature (Hinton et al., 2015);
    at 1 they stay as they are.
    """
    logs = np.log(np.maximum(probs, np.finfo(probs.dtype).tiny)) / temperature
    powers = np.exp(logs - logs.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)
