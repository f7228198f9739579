r"""All detectors side by side: AUC per machine and id, ROC curves, time to fit and to score, size.

    python -m experiments.run --config=configs/study.py
    python -m experiments.run --config=configs/study.py --config.scores=theirs=scores.csv
    python -m experiments.run --config=configs/study.py --workdir=runs/study_toycar \
        --config.data.source=folder --config.data.root=toycar_logmel

Nothing is combined. Members whose pretrained weights are missing are left out, and the report says
so; those that have been run already, here or in runs/, are not run again.
"""

from ml_collections import ConfigDict

from configs import gmade_causal, gmade_idnn
from configs.ensembles import study_of


def get_config() -> ConfigDict:
    """Returns the study; a baseline is a line."""
    return study_of(
        gmade_idnn=gmade_idnn.get_config(),
        gmade_causal=gmade_causal.get_config(),
        # To come, each when its config does: the dense autoencoder, IDNN, the VAEs, and pretrained
        # embeddings with a Mahalanobis distance.
    )
