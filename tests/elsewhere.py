"""The environment of a process that uses another backend."""

import os
import sys
from pathlib import Path

from tessera import machine

QUICK = " ".join(
    [
        "--xla_backend_optimization_level=0",
        "--xla_llvm_disable_expensive_passes=true",
        "--xla_cpu_use_fusion_emitters=false",
    ]
)
"""For JAX: what a test waits for there is compiling, most of it for a speed that it has
no use for. The rounding changes, and nothing else."""

ALONE = str(Path(__file__).with_name("jax_alone"))
"""A folder that hides TensorFlow."""


def environment(backend: str) -> dict[str, str]:
    """This process's, with the backend's name, and where the tests' modules lie.

    A process on JAX has no TensorFlow, as after an installation for JAX alone, and
    keeps every program that it compiles.
    """
    path = [ALONE, *sys.path] if backend == "jax" else sys.path
    return os.environ | {
        "KERAS_BACKEND": backend,
        "XLA_FLAGS": QUICK,
        "JAX_COMPILATION_CACHE_DIR": str(machine.programs_folder()),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "PYTHONPATH": os.pathsep.join(path),
    }
