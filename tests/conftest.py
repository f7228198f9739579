import os

# Before anything imports JAX or TensorFlow: eight devices, so that sharding is always tested.
os.environ.setdefault("JAX_NUM_CPU_DEVICES", "8")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Most of the time goes into compiling programs that run once or twice, so they are not optimised.
# Those that the command runs are (test_command.py), and `XLA_FLAGS= pytest` optimises all.
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_backend_optimization_level=0"
    " --xla_cpu_use_fusion_emitters=false"
    " --xla_cpu_parallel_codegen_split_count=1",
)

from jaxtyping import install_import_hook

# Checks every shape annotation of the room at run time, in tests only.
install_import_hook("gmade", "beartype.beartype")
