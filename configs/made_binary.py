"""MADE on binary vectors (Germain et al., 2015): one order, one set of masks.

    python -m experiments.run --config=configs/made_binary.py --config.data.root=FILE.npz

FILE.npz holds `train`, `valid` and `test`, (vectors, bits) of 0 and 1. Training stops when the loss
on `valid` has not fallen for so many epochs; the last row of results.csv ends in the mean
negative log-likelihood of `test`, in nats.
"""

from ml_collections import ConfigDict
from ml_collections.config_dict import placeholder


def get_config() -> ConfigDict:
    """Returns the experiment."""
    config = ConfigDict()
    config.method = "made_binary"
    config.seed = 0
    config.data = ConfigDict(dict(root=placeholder(str)))

    model = config.model = ConfigDict()
    model.hidden = (1000,)
    model.activation = "relu"  # relu, tanh, softplus
    model.direct = True  # outputs read the bits they may see also by themselves
    model.condition_on_masks = False  # units are told of their masks by weights of their own
    model.dropout_rate = 0.8
    model.fixed_order = True  # False: every mask has an ordering of its own
    model.num_masks = 1  # in the list that each step draws from; 0 for a list without end
    model.masks_seed = 0
    model.num_valid_masks = 1  # averaged over, from the list's beginning
    model.num_test_masks = 1

    train = config.train = ConfigDict()
    train.optimizer = "sgd"  # or adam
    train.num_epochs = 2000  # at most
    train.patience = 30  # epochs without a better loss on valid
    train.batch_size = 100
    train.learning_rate = 0.015
    train.schedule = "constant"
    train.max_grad_norm = 1e3
    train.weight_decay = 0.0
    train.steps_per_call = 50
    train.resident_gb = 8.0
    train.log_every_steps = 50
    return config
