"""The environment of a process that uses another backend."""

import os
import sys

QUICK = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
"""For JAX: what a test waits for there is compiling, half of it for a speed that it has
no use for. The rounding changes, and nothing else."""


def environment(backend: str) -> dict[str, str]:
    """This process's, with the backend's name, and where the tests' modules lie."""
    return os.environ | {
        "KERAS_BACKEND": backend,
        "XLA_FLAGS": QUICK,
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
