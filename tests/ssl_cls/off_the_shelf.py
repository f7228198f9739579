"""Keras' own networks, and their weights as this project's variables."""

import os
import warnings

import jax.numpy as jnp
import numpy as np

SHAPE = (64, 128, 1)
NUM_CLASSES = 4


def import_keras():
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import keras
    return keras


def build(name, num_classes=NUM_CLASSES, **settings):
    """The network with random weights, and statistics as if it had been trained."""
    keras = import_keras()
    keras.utils.set_random_seed(0)
    model = getattr(keras.applications, name)(
        input_shape=SHAPE,
        weights=None,
        classes=num_classes,
        classifier_activation=None,
        **settings,
    )
    rng = np.random.default_rng(1)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            shape = layer.gamma.shape
            gain, var = rng.uniform(0.5, 1.5, shape), rng.uniform(0.5, 2.0, shape)
            layer.set_weights([gain, *(0.3 * rng.normal(size=(2, *shape))), var])
        elif layer.weights:
            kernel, *bias = layer.get_weights()
            # Wide enough that the logits still depend on the image.
            fan_in = np.prod(kernel.shape[:2]) if "depthwise" in layer.name else kernel[..., 0].size
            kernel = rng.normal(size=kernel.shape) * np.sqrt(2 / fan_in)
            layer.set_weights([kernel, *(0.3 * rng.normal(size=b.shape) for b in bias)])
    return model


def mobilenet_v2_variables(model):
    params, stats = {}, {}
    put(params, stats, model, ("Conv1", "bn_Conv1"), "first")
    for number in range(17):
        prefix = f"block_{number}" if number else "expanded_conv"
        block = params.setdefault(f"block_{number}", {})
        block_stats = stats.setdefault(f"block_{number}", {})
        for part in ("expand", "depthwise", "project")[number == 0 :]:
            put(block, block_stats, model, (f"{prefix}_{part}", f"{prefix}_{part}_BN"), part)
    put(params, stats, model, ("Conv_1", "Conv_1_bn"), "last")
    return with_head(params, stats, model)


def resnet50_variables(model):
    params, stats = {}, {}
    put(params, stats, model, ("conv1_conv", "conv1_bn"), "first")
    for stage, blocks in enumerate((3, 4, 6, 3), start=2):
        for i in range(1, blocks + 1):
            name = f"conv{stage}_block{i}"
            block, block_stats = params.setdefault(name, {}), stats.setdefault(name, {})
            for number, part in enumerate(("shortcut", "reduce", "filter", "expand")):
                if number or i == 1:
                    names = (f"{name}_{number}_conv", f"{name}_{number}_bn")
                    put(block, block_stats, model, names, part)
    return with_head(params, stats, model)


def put(params, stats, model, names, ours):
    """A convolution and the normalisation after it."""
    layer = model.get_layer(names[0])
    kernel, *bias = layer.get_weights()
    params[ours] = {"kernel": kernel[..., 0] if "depthwise" in names[0] else kernel}
    scale, shift, mean, var = model.get_layer(names[1]).get_weights()
    params[f"{ours}_norm"] = {"scale": scale, "bias": shift}
    if bias:
        params[f"{ours}_norm"]["offset"] = bias[0]
    stats[f"{ours}_norm"] = {"mean": mean, "var": var}


def with_head(params, stats, model):
    kernel, bias = model.get_layer("predictions").get_weights()
    head = {"kernel": jnp.asarray(kernel), "bias": jnp.asarray(bias)}
    return {"params": {"network": params, "head": head}, "batch_stats": {"network": stats}}
