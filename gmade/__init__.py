"""How likely is it: masked autoencoders for density estimation, grouped or not.

Germain et al., "MADE" (ICML 2015); Giri et al., "Group MADE" (DCASE 2020 Challenge, Task 2).
"""

from gmade.density import Density, group_made
from gmade.heads import Head, gaussian, mixture_of_gaussians
from gmade.ordering import adjacency_from_ranks, check_adjacency, depths, frame_ranks, regroup

__all__ = [
    "Density",
    "Head",
    "adjacency_from_ranks",
    "check_adjacency",
    "depths",
    "frame_ranks",
    "gaussian",
    "group_made",
    "mixture_of_gaussians",
    "regroup",
]
