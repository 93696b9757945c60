"""Kill it anywhere: what is resumed until it ends is what never stopped, bit by bit."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from proofs.conftest import Proof

PROGRAM = Path(__file__).with_name("kill.py")


@pytest.mark.proof
@pytest.mark.slow
@pytest.mark.timeout(3 * 3600)
@pytest.mark.skipif(not hasattr(sys, "abiflags"), reason="processes are forked")
def test_a_run_that_is_killed_and_resumed_is_bit_equal_to_an_uninterrupted_one(
    tmp_path: Path, proof: Proof
) -> None:
    kills = proof.size(short=4, whole=100)
    done = subprocess.run(
        [sys.executable, str(PROGRAM), str(tmp_path), str(kills), "0"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["kills"] == kills
    assert found["bit_equal"] == found["trainings"]
    assert 1 < found["epochs_until_early_stop"] < found["epochs_asked"]
    proof.record(
        "kill_anywhere",
        "A run killed with SIGKILL and resumed until it ends has the weights, history "
        "and predictions of an uninterrupted one, bit by bit.",
        **found,
    )
