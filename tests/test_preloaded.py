"""The process that others are forked from has a framework, and no thread."""

import importlib.util
import os
import subprocess
import sys

import pytest

LOAD = """
import os, sys
from tessera import runtime
runtime.prepare(1)
import tessera.preloaded, tessera.execution, tessera.together
print(*sorted({"keras", "tensorflow", "jax", "sklearn"} & sys.modules.keys()))
print(len(os.listdir("/proc/self/task")))
"""

WITHOUT_KERAS = """
import sys
sys.modules["keras"] = None
import tessera.preloaded
print("and goes on")
"""


def python(code: str, backend: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc")
@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="needs JAX")
@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_one_framework_is_loaded_without_a_word_and_without_a_thread(
    backend: str,
) -> None:
    done = python(LOAD, backend)
    assert done.stdout.split() == [*sorted([backend, "keras"]), "1"]
    assert done.stderr == ""


def test_an_import_that_fails_is_left_to_the_forks() -> None:
    done = python(WITHOUT_KERAS, "tensorflow")
    assert (done.stdout, done.stderr) == ("and goes on\n", "")
