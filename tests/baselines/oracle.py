"""The networks in TensorFlow, from arrays as the published files have them."""

import numpy as np
import tensorflow as tf

CONVOLUTIONS = (
    "conv1",
    "conv2",
    "conv3/conv3_1",
    "conv3/conv3_2",
    "conv4/conv4_1",
    "conv4/conv4_2",
)


def cnn14(state, log_mels):
    """Cnn14's embeddings, (batch, embedding), from a PyTorch state dict's arrays."""
    x = _normalised(state, "bn0", log_mels)[..., None]
    for block in range(1, 7):
        for i in (1, 2):
            kernel = state[f"conv_block{block}.conv{i}.weight"].transpose(2, 3, 1, 0)
            x = tf.nn.conv2d(x, kernel, 1, "SAME")
            x = tf.nn.relu(_normalised(state, f"conv_block{block}.bn{i}", x))
        if block < 6:
            x = tf.nn.avg_pool2d(x, 2, 2, "VALID")
    x = tf.reduce_mean(x, 2)
    x = tf.reduce_max(x, 1) + tf.reduce_mean(x, 1)
    return tf.nn.relu(x @ state["fc1.weight"].T + state["fc1.bias"]).numpy()


def _normalised(state, name, x):
    mean, var, bias, weight = (
        state[f"{name}.{kind}"] for kind in ("running_mean", "running_var", "bias", "weight")
    )
    return tf.nn.batch_normalization(x, mean, var, bias, weight, 1e-5)


def vggish(arrays, patches):
    """VGGish's embeddings, (many, 128), from a checkpoint's arrays."""
    x = patches[..., None]
    for name in CONVOLUTIONS:
        x = tf.nn.conv2d(x, arrays[f"vggish/{name}/weights"], 1, "SAME")
        x = tf.nn.relu(x + arrays[f"vggish/{name}/biases"])
        if not name.endswith("_1"):
            x = tf.nn.max_pool2d(x, 2, 2, "SAME")
    x = tf.reshape(x, [len(patches), -1])
    for name in ("fc1/fc1_1", "fc1/fc1_2"):
        x = tf.nn.relu(x @ arrays[f"vggish/{name}/weights"] + arrays[f"vggish/{name}/biases"])
    return (x @ arrays["vggish/fc2/weights"] + arrays["vggish/fc2/biases"]).numpy()


def postprocessed(pca, embeddings):
    """The eight bits that AudioSet's embeddings were released in, (many, 128) uint8."""
    whitened = (pca["pca_eigen_vectors"] @ (embeddings.T - pca["pca_means"])).T
    return ((np.clip(whitened, -2, 2) + 2) * (255 / 4)).astype(np.uint8)
