"""The same seed twice is the same bits; two backends agree but for rounding."""

import importlib.util
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import elsewhere
import numpy as np
import pytest

from proofs.conftest import Proof
from tessera import files

PROGRAM = Path(__file__).with_name("one_epoch.py")
TOLERANCE = 1e-3
"""Largest difference of any weight between backends after an epoch."""


WITHOUT_DROPOUT = "0:0.0"
needs_tensorflow = pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None, reason="TensorFlow's promise"
)


def trained(
    out: Path, *trainings: str, start: Path | None = None, **environment: str
) -> list[dict[str, np.ndarray]]:
    """The weights after an epoch of each training, all in one fresh process."""
    out.mkdir()
    place = f"{out}:{start}" if start else str(out)
    done = subprocess.run(
        [sys.executable, str(PROGRAM), place, *trainings],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    folders = [out / str(number) for number in range(len(trainings))]
    return [files.read_arrays(folder / "after.npz") for folder in folders]


@dataclass(frozen=True)
class Once:
    """What a process on TensorFlow has trained: with dropout, then without."""

    dropped: dict[str, np.ndarray]
    whole: dict[str, np.ndarray]
    start: Path
    """The weights that the second began with."""


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    root = tmp_path_factory.mktemp("once")
    environment = {"KERAS_BACKEND": "tensorflow", "TESSERA_CACHE": str(root / "cache")}
    found = trained(root / "tf", "0:0.3", WITHOUT_DROPOUT, **environment)
    return Once(*found, root / "tf" / "1" / "before.npz")


def bits(weights: dict[str, np.ndarray]) -> bytes:
    return b"".join(array.tobytes() for array in weights.values())


@pytest.mark.proof
@pytest.mark.slow
@pytest.mark.timeout(1800)
@needs_tensorflow
def test_the_same_seed_twice_is_bit_equal_and_another_seed_is_not(
    once: Once, tmp_path: Path, proof: Proof
) -> None:
    # The second process has trained another seed before.
    environment = {"KERAS_BACKEND": "tensorflow"}
    other, again = trained(tmp_path / "again", "1:0.3", "0:0.3", **environment)
    assert bits(once.dropped) == bits(again) != bits(other)
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
@needs_tensorflow
@pytest.mark.skipif(
    importlib.util.find_spec("jax") is None, reason="needs both backends"
)
def test_jax_and_tensorflow_agree_after_an_epoch_from_the_same_start(
    once: Once, tmp_path: Path, proof: Proof
) -> None:
    environment = {"KERAS_BACKEND": "jax"}
    if not proof.whole:  # else it is compiled as for its users, which takes longer
        environment["XLA_FLAGS"] = elsewhere.QUICK
    first, moved = once.whole, files.read_arrays(once.start)
    (second,) = trained(
        tmp_path / "jax", WITHOUT_DROPOUT, start=once.start, **environment
    )
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
