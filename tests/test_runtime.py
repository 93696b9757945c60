"""Switches are set before a framework loads, and a user's own win."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tessera import machine, runtime


def python(code: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TF_", "KERAS_", "OMP_", "XLA_"))
    }
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=clean | environment,
        timeout=300,
        check=True,
    )


SHOW = (
    "import os; from tessera import runtime; runtime.prepare(3); "
    "print(*(os.environ[n] for n in "
    "('TF_ENABLE_ONEDNN_OPTS', 'KERAS_BACKEND', 'TF_NUM_INTRAOP_THREADS', "
    "'XLA_PYTHON_CLIENT_PREALLOCATE', 'TF_FORCE_GPU_ALLOW_GROWTH')))"
)


def test_onednn_is_on_tensorflow_is_the_default_and_no_process_takes_a_whole_gpu() -> (
    None
):
    assert python(SHOW).stdout.split() == ["1", "tensorflow", "3", "false", "true"]


def test_a_users_own_variables_win() -> None:
    own = {"TF_ENABLE_ONEDNN_OPTS": "0", "TF_NUM_INTRAOP_THREADS": "7"}
    own |= {"XLA_PYTHON_CLIENT_PREALLOCATE": "true"}
    own |= {"TF_FORCE_GPU_ALLOW_GROWTH": "false"}
    found = python(SHOW, **own).stdout.split()
    assert found == ["0", "tensorflow", "7", "true", "false"]


def test_a_missing_backend_is_named_with_the_way_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "not_a_framework")
    with pytest.raises(runtime.MissingBackend, match=r"pip install '\.\[cpu\]'"):
        runtime.prepare()


ON_JAX = """
from tessera import runtime
runtime.prepare(1)
runtime.load_backend()
import jax
jax.jit(lambda x: x @ x)(jax.numpy.eye(3)).block_until_ready()
runtime.make_deterministic(0)
"""


@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="needs JAX")
def test_what_jax_compiles_is_kept_for_the_next_process_and_nothing_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To seed it, Keras imports TensorFlow there, where it is installed."""
    monkeypatch.setenv("TESSERA_CACHE", str(tmp_path))
    at_once = {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
    done = python(ON_JAX, KERAS_BACKEND="jax", **at_once)
    assert (done.stdout, done.stderr) == ("", "")
    assert list(machine.programs_folder().glob("jit*"))


def test_a_users_own_place_for_programs_wins_and_one_that_cannot_be_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "JAX_COMPILATION_CACHE_DIR"
    monkeypatch.setenv("TESSERA_CACHE", str(tmp_path))
    monkeypatch.setenv(name, "mine")
    runtime._keep_programs()
    assert os.environ[name] == "mine"
    monkeypatch.delenv(name)
    (tmp_path / "file").touch()
    monkeypatch.setenv("TESSERA_CACHE", str(tmp_path / "file"))
    runtime._keep_programs()
    assert name not in os.environ


INTERRUPT = """
import os, signal, sys, threading, time
def soon():
    while "tensorflow" not in sys.modules:
        time.sleep(0.001)
    os.kill(os.getpid(), signal.SIGINT)
from tessera import runtime
runtime.prepare(1)
threading.Thread(target=soon).start()
try:
    runtime.load_backend(alone=True)
except KeyboardInterrupt:
    print("whole:", callable(sys.modules["keras"].ops.zeros))
runtime.load_backend(alone=True)
import tensorflow as tf
tf.matmul([[1.0]], [[1.0]])
"""


@pytest.mark.slow
def test_ctrl_c_during_the_silent_import_of_a_framework_is_told_when_it_is_over() -> (
    None
):
    done = python(INTERRUPT)
    assert (done.stdout, done.stderr) == ("whole: True\n", "")


def test_the_environment_names_versions_and_threads() -> None:
    found = runtime.environment(threads=2)
    assert {"keras", "numpy", "scikit-learn"} <= found.packages.keys()
    assert (found.threads, found.cores) == (2, os.cpu_count())


def test_tensorflow_computes_on_the_processor_and_an_accelerator_is_told_from_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    assert runtime.on_processor()
    monkeypatch.setattr(runtime, "_device", lambda: "NVIDIA H200")
    assert not runtime.on_processor()


def test_tensorflows_gpu_is_named_where_its_build_knows_any(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import tensorflow as tf

    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda _: ["/GPU:0"])
    details = {"device_name": "NVIDIA H200"}
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda _: details)
    monkeypatch.setattr(runtime, "versions", lambda: {"tensorflow-cpu": "2.21.0"})
    assert runtime.environment().device == machine.processor()
    monkeypatch.setattr(runtime, "versions", lambda: {"tensorflow": "2.21.0"})
    assert runtime.environment().device == "NVIDIA H200"
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda _: [])
    assert runtime.environment().device == machine.processor()


def test_another_processor_is_another_number_even_under_the_same_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = runtime.numerics()
    monkeypatch.setattr(machine, "flags", lambda: frozenset({"avx512f"}))
    elsewhere = runtime.numerics()
    monkeypatch.setattr(machine, "flags", lambda: frozenset({"avx2"}))
    assert runtime.numerics() != elsewhere
    monkeypatch.undo()
    assert runtime.numerics() == here
