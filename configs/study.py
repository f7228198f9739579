r"""All detectors side by side: AUC per machine and id, ROC curves, time to fit and to score, size.

    python -m experiments.run --config=configs/study.py
    python -m experiments.run --config=configs/study.py --config.scores=theirs=scores.csv
    python -m experiments.run --config=configs/study.py --workdir=runs/study_toycar \
        --config.data.source=folder --config.data.root=toycar_logmel

Nothing is combined. Members whose pretrained weights are missing are left out, and the report says
so; those that have been run already, here or in runs/, are not run again.
"""

from ml_collections import ConfigDict

from configs import (
    autoencoder,
    conv_vae,
    fc_autoencoder,
    fc_encoder,
    fc_vae,
    gmade_causal,
    gmade_idnn,
    idnn,
    panns,
    vggish,
    vidnn,
)
from configs.ensembles import study_of


def get_config() -> ConfigDict:
    """Returns the study; a method is a line."""
    return study_of(
        gmade_idnn=gmade_idnn.get_config(),
        gmade_causal=gmade_causal.get_config(),
        autoencoder=autoencoder.get_config(),
        idnn=idnn.get_config(),
        vidnn=vidnn.get_config(),
        fc_autoencoder=fc_autoencoder.get_config(),
        fc_encoder=fc_encoder.get_config(),
        fc_vae=fc_vae.get_config(),
        conv_vae=conv_vae.get_config(),
        panns=panns.get_config(),
        vggish=vggish.get_config(),
    )
