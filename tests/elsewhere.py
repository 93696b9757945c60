"""The environment of a process that uses another backend."""

import os
import sys
from pathlib import Path

QUICK = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
"""For JAX: what a test waits for there is compiling, half of it for a speed that it has
no use for. The rounding changes, and nothing else."""

ALONE = str(Path(__file__).with_name("jax_alone"))
"""A folder that hides TensorFlow."""


def environment(backend: str) -> dict[str, str]:
    """This process's, with the backend's name, and where the tests' modules lie.

    A process on JAX has no TensorFlow, as after an installation for JAX alone.
    """
    path = [ALONE, *sys.path] if backend == "jax" else sys.path
    return os.environ | {
        "KERAS_BACKEND": backend,
        "XLA_FLAGS": QUICK,
        "PYTHONPATH": os.pathsep.join(path),
    }
