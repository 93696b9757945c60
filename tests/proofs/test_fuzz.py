"""Readers fed with mutated bytes raise their own errors and no others."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from proofs.conftest import Proof

PROGRAM = Path(__file__).with_name("fuzz.py")
READERS = {
    "image": "the image decoder",
    "list": "the reader of lists of images",
    "experiment": "the experiment loader",
    "checkpoint": "the checkpoint reader",
}


@pytest.mark.proof
@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="atheris is not installed"
)
@pytest.mark.parametrize("target", READERS)
def test_no_input_raises_an_error_that_is_not_the_readers_own(
    tmp_path: Path, proof: Proof, target: str
) -> None:
    asked = int(os.environ.get("TESSERA_FUZZ_SECONDS", "600"))
    seconds = proof.size(short=2, whole=asked)
    options = [f"-max_total_time={seconds}", "-timeout=30", "-rss_limit_mb=3000"]
    done = subprocess.run(
        [sys.executable, str(PROGRAM), target, str(tmp_path), *options, "-seed=1"],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    (inputs,) = re.findall(r"^Done (\d+) runs", done.stderr, flags=re.MULTILINE)
    proof.record(
        f"fuzz_{target}",
        f"Mutated input to {READERS[target]} ends in a result or in its own error.",
        seconds_of_fuzzing=seconds,
        inputs=int(inputs),
        uncaught=0,
    )
