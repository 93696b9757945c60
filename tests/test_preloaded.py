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
def loaded():
    names = {"keras", "tensorflow", "jax", "sklearn", "matplotlib"}
    print(*sorted(names & sys.modules.keys()))
import tessera.preloaded, tessera.execution, tessera.together
loaded()
print(len(os.listdir("/proc/self/task")))
runtime.load_backend(alone=True)
runtime.make_deterministic(0)
import tessera.pipeline
loaded()
print("silent until here", file=sys.stderr)
import sklearn.base, matplotlib.pyplot, jax, tensorflow
print("and the rest")
"""
"""What the fork server does, then what each of its forks does, and then what a user's
program might go on with."""

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
def test_one_framework_is_loaded_without_a_word_or_a_thread_and_the_rest_when_asked(
    backend: str,
) -> None:
    done = python(LOAD, backend)
    one = " ".join(sorted([backend, "keras"]))
    assert done.stdout.splitlines() == [one, "1", one, "and the rest"]
    assert done.stderr.startswith("silent until here\n")


def test_an_import_that_fails_is_left_to_the_forks() -> None:
    done = python(WITHOUT_KERAS, "tensorflow")
    assert (done.stdout, done.stderr) == ("and goes on\n", "")
