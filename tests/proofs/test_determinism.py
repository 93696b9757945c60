"""The same seed twice is the same bits; two backends agree but for rounding."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from proofs.conftest import Proof
from tessera import files

PROGRAM = Path(__file__).with_name("one_epoch.py")
TOLERANCE = 1e-3
"""Largest difference of any weight between backends after an epoch."""


def trained(
    out: Path, seed: int, *, backend: str, dropout: float, start: Path | None = None
) -> dict[str, np.ndarray]:
    """The weights after an epoch in a fresh process."""
    out.mkdir()
    extra = [] if start is None else [str(start)]
    done = subprocess.run(
        [sys.executable, str(PROGRAM), str(seed), str(dropout), str(out), *extra],
        env=os.environ | {"KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return files.read_arrays(out / "after.npz")


def bits(weights: dict[str, np.ndarray]) -> bytes:
    return b"".join(array.tobytes() for array in weights.values())


@pytest.mark.proof
@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None, reason="TensorFlow's promise"
)
def test_the_same_seed_twice_is_bit_equal_and_another_seed_is_not(
    tmp_path: Path, proof: Proof
) -> None:
    seeds = {"first": 0, "again": 0, "other": 1}
    found = {
        name: bits(trained(tmp_path / name, seed, backend="tensorflow", dropout=0.3))
        for name, seed in seeds.items()
    }
    assert found["first"] == found["again"] != found["other"]
    proof.record(
        "same_seed",
        "The same seed twice, in two processes, gives the same weights bit by bit "
        "(TensorFlow, CPU); another seed gives others.",
        trainings=3,
        bit_equal=True,
        other_seed_differs=True,
    )


@pytest.mark.proof
@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("tensorflow", "jax")),
    reason="needs both backends",
)
def test_jax_and_tensorflow_agree_after_an_epoch_from_the_same_start(
    tmp_path: Path, proof: Proof
) -> None:
    first = trained(tmp_path / "tf", 0, backend="tensorflow", dropout=0.0)
    start = tmp_path / "tf" / "before.npz"
    second = trained(tmp_path / "jax", 0, backend="jax", dropout=0.0, start=start)
    moved = files.read_arrays(start)
    apart = max(float(np.abs(first[n] - second[n]).max()) for n in first)
    way = max(float(np.abs(first[n] - moved[n]).max()) for n in first)
    assert apart < TOLERANCE < way
    proof.record(
        "two_backends",
        "From the same start and without dropout, TensorFlow and JAX agree within the "
        "tolerance after an epoch.",
        largest_difference_of_a_weight=float(f"{apart:.2g}"),
        tolerance=TOLERANCE,
        largest_way_of_a_weight=float(f"{way:.2g}"),
    )
