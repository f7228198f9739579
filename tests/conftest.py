import os

# Before anything imports JAX or TensorFlow: eight devices, so that sharding is always tested.
os.environ.setdefault("JAX_NUM_CPU_DEVICES", "8")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from jaxtyping import install_import_hook

# Checks every shape annotation of the room at run time, in tests only.
install_import_hook("gmade", "beartype.beartype")
