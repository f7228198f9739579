"""How likely is it: masked autoencoders for density estimation, grouped or not.

Germain et al., "MADE" (ICML 2015); Giri et al., "Group MADE" (DCASE 2020 Challenge, Task 2).
"""

from gmade.agnostic import AgnosticDensity, agnostic_made, mean_log_prob
from gmade.degrees import Degrees, draw_degrees, listed_degrees, pick_index
from gmade.density import Density, group_made
from gmade.heads import Head, bernoulli, gaussian, mixture_of_gaussians
from gmade.ordering import adjacency_from_ranks, check_adjacency, depths, frame_ranks, regroup

__all__ = [
    "AgnosticDensity",
    "Degrees",
    "Density",
    "Head",
    "adjacency_from_ranks",
    "agnostic_made",
    "bernoulli",
    "check_adjacency",
    "depths",
    "draw_degrees",
    "frame_ranks",
    "gaussian",
    "group_made",
    "listed_degrees",
    "mean_log_prob",
    "mixture_of_gaussians",
    "pick_index",
    "regroup",
]
