"""How fast the classifiers train: this project's, and Keras' own on TensorFlow.

    python -m benchmarks.classifier [--only NAME,NAME] [--batch 64] [--json]

MobileNetV2 (width 0.5) and ResNet-50 on images of 64 x 128 that lie in memory, four classes,
float32: forward, backward and Adam. Keras' networks are compiled as Keras does by default and
trained by `train_on_batch`. All are measured in one run, in turns, after one call each to warm up;
ratios are of the best turns, to Keras' network of the same name. Keep the machine idle. TensorFlow
is measured on the CPU, so set JAX_PLATFORMS=cpu where JAX would find something else.
"""

import argparse
import json
import os
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks.timing import in_turns, row
from ssl_cls import (
    Classifier,
    MobileNetV2,
    ResNet50,
    Softmax,
    compiler_options,
    soft_cross_entropy,
)

SHAPE = (64, 128)
NUM_CLASSES = 4
LEARNING_RATE = 1e-3
OURS = {"mobilenet_v2": MobileNetV2, "resnet50": ResNet50}
KERAS = {"keras_mobilenet_v2": ("MobileNetV2", {"alpha": 0.5}), "keras_resnet50": ("ResNet50", {})}
NAMES = (*OURS, *KERAS)


def batch_of(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Standard normal images (size, 64, 128), and their classes (size,)."""
    images = np.random.default_rng(0).standard_normal((size, *SHAPE), np.float32)
    return images, np.arange(size, dtype=np.int32) % NUM_CLASSES


def ours(name: str, size: int) -> Callable[[], float]:
    """A step of this project's network; returns the loss."""
    model = Classifier(OURS[name](), Softmax(NUM_CLASSES))
    images, classes = map(jnp.asarray, batch_of(size))
    targets = jax.nn.one_hot(classes, NUM_CLASSES)
    variables = jax.jit(model.init)(jax.random.key(0), images[:1])
    optimizer = optax.adam(LEARNING_RATE)
    state = (variables, optimizer.init(variables["params"]))

    @partial(jax.jit, donate_argnums=0, compiler_options=compiler_options())
    def step(state: tuple, images: jax.Array, targets: jax.Array) -> tuple[tuple, jax.Array]:
        variables, opt_state = state

        def loss(params: optax.Params) -> tuple[jax.Array, Any]:
            now = {**variables, "params": params}
            outputs, moved = model.apply(now, images, train=True, mutable=["batch_stats"])
            return soft_cross_entropy(outputs.logits, targets).mean(), moved

        params = variables["params"]
        (nats, moved), grads = jax.value_and_grad(loss, has_aux=True)(params)
        updates, opt_state = optimizer.update(grads, opt_state)
        params = optax.apply_updates(params, updates)
        return ({"params": params, **moved}, opt_state), nats

    def train() -> float:
        nonlocal state
        state, nats = step(state, images, targets)
        jax.block_until_ready(state)
        return float(nats)

    return train


def off_the_shelf(name: str, size: int) -> Callable[[], float]:
    """A step of Keras' network; returns the loss."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    import keras

    network, settings = KERAS[name]
    model = getattr(keras.applications, network)(
        input_shape=(*SHAPE, 1),
        weights=None,
        classes=NUM_CLASSES,
        classifier_activation=None,
        **settings,
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(LEARNING_RATE), loss)
    images, classes = batch_of(size)
    return lambda: float(model.train_on_batch(images[..., None], classes))


def measure(names: list[str], size: int, seconds: float, repeats: int) -> list[dict]:
    """Returns the images a second of each network, and ours as multiples of Keras'."""
    ways = {name: (ours if name in OURS else off_the_shelf)(name, size) for name in names}
    rates = in_turns(ways, seconds, repeats)
    rows = []
    for name, turns in rates.items():
        rows += [
            row(name, "train_images_per_s", size * max(turns), "image/s"),
            row(name, "train_images_per_s_median", size * median(turns), "image/s"),
        ]
        if peer := rates.get(f"keras_{name}"):
            rows.append(row(name, "ratio", max(turns) / max(peer), "x"))
    return rows


def print_table(rows: list[dict], title: str) -> None:
    """Prints one line a network."""
    print(f"{title}\n{'':20}{'best':>10}{'median':>10}{'/ Keras':>12}")
    values: dict[str, dict[str, float]] = {}
    for each in rows:
        values.setdefault(each["name"], {})[each["metric"]] = each["value"]
    for name, value in values.items():
        rate = f"{value['train_images_per_s']:10.1f}{value['train_images_per_s_median']:10.1f}"
        ratio = f"{value['ratio']:.2f} x" if "ratio" in value else "-"
        print(f"{name:20}{rate}{ratio:>12}")


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description="Images trained on a second.", epilog=f"Networks: {', '.join(NAMES)}."
    )
    add = parser.add_argument
    add("--only", type=_names, default=list(NAMES), help="networks, with commas between")
    add("--batch", type=int, default=64, help="images a step")
    add("--seconds", type=float, default=5.0, help="how long a turn lasts at least")
    add("--repeats", type=int, default=5, help="turns of each network")
    add("--json", action="store_true", help="one JSON object a line")
    return parser.parse_args(arguments)


def _names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := set(names) - set(NAMES):
        raise argparse.ArgumentTypeError(f"no network {', '.join(sorted(unknown))}")
    return names


def main(arguments: list[str] | None = None) -> None:
    """Measures and prints."""
    args = parse(arguments)
    rows = measure(args.only, args.batch, args.seconds, args.repeats)
    if args.json:
        print("\n".join(json.dumps(each) for each in rows))
    else:
        machine = f"JAX on {jax.default_backend()}, {os.cpu_count()} cores"
        print_table(rows, f"images a second: batches of {args.batch}; {machine}")


if __name__ == "__main__":
    main()
