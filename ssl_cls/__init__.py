"""Whose voice is this: networks that tell machine ids apart, and so hear when one sounds wrong.

Giri et al., "Unsupervised anomalous sound detection using self-supervised classification and group
masked autoencoder for density estimation" (DCASE 2020 Challenge, Task 2), section 2.2.
"""

from ssl_cls.augment import Augmentation, augment, combined, num_classes
from ssl_cls.classifier import Classifier, Outputs
from ssl_cls.convolution import compiler_options
from ssl_cls.embedding import (
    Gaussians,
    Neighbours,
    fit_gaussians,
    fit_neighbours,
    mahalanobis,
    neighbour_distance,
)
from ssl_cls.heads import ArcFace, Softmax
from ssl_cls.losses import accuracy, kl_divergence, soft_cross_entropy
from ssl_cls.mobilenet_v2 import MobileNetV2
from ssl_cls.resnet50 import ResNet50
from ssl_cls.scores import (
    negative_cosine,
    negative_log_odds,
    negative_log_softmax,
    negative_softmax,
)
from ssl_cls.warping import draw_warps, warped

__all__ = [
    "ArcFace",
    "Augmentation",
    "Classifier",
    "Gaussians",
    "MobileNetV2",
    "Neighbours",
    "Outputs",
    "ResNet50",
    "Softmax",
    "accuracy",
    "augment",
    "combined",
    "compiler_options",
    "draw_warps",
    "fit_gaussians",
    "fit_neighbours",
    "kl_divergence",
    "mahalanobis",
    "negative_cosine",
    "negative_log_odds",
    "negative_log_softmax",
    "negative_softmax",
    "neighbour_distance",
    "num_classes",
    "soft_cross_entropy",
    "warped",
]
