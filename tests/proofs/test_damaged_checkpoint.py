"""A checkpoint damaged anywhere is noticed and named, and the one before is used."""

from pathlib import Path

import numpy as np
import pytest

from proofs.conftest import Proof
from tessera import checkpoint

ARRAYS = {
    "net/0": np.random.default_rng(0).normal(size=(3, 3, 32, 64)).astype(np.float32),
    "net/1": np.zeros((3, 3, 64, 32), np.float32),
    "optimizer/0": np.array(1234, np.int64),
}
STATE = {"history": [{"epoch": n, "loss": 1.0 / n} for n in range(1, 40)]}


def load(folder: Path) -> tuple[int | None, list[str]]:
    notes: list[str] = []
    found = checkpoint.load(folder, digest="d", note=notes.append)
    return (None if found is None else found.step), notes


@pytest.mark.proof
def test_damage_at_any_offset_is_noticed_and_the_previous_one_used(
    tmp_path: Path, proof: Proof
) -> None:
    for step in (1, 2):
        checkpoint.save(tmp_path, step, ARRAYS, STATE, digest="d")
    newest = sorted((tmp_path / "step-000000002").iterdir())
    whole = {file: file.read_bytes() for file in newest}
    rng = np.random.default_rng(0)
    offsets = proof.size(short=60, whole=500)
    flipped = cut = 0
    for _ in range(offsets):
        # Every file as often as the others: the small ones hold what is believed first.
        file = newest[rng.integers(len(newest))]
        at = int(rng.integers(len(whole[file])))
        broken = bytearray(whole[file])
        broken[at] ^= 1 << int(rng.integers(8))
        for content in (bytes(broken), whole[file][:at]):
            file.write_bytes(content)
            step, notes = load(tmp_path)
            assert (step, len(notes)) == (1, 1), (file.name, at)
            assert "this checkpoint is not used" in notes[0]
        flipped += 1
        cut += 1
        file.write_bytes(whole[file])
    missing = 0
    for file in newest:
        file.unlink()
        assert load(tmp_path)[0] == 1
        missing += 1
        file.write_bytes(whole[file])
    assert load(tmp_path) == (2, [])
    checkpoint.save(tmp_path, 3, ARRAYS, STATE, digest="another experiment")
    step, notes = load(tmp_path)
    assert step == 2 and "belongs to other settings" in notes[0]
    proof.record(
        "damaged_checkpoint",
        "A damaged checkpoint, or another experiment's, is noticed by its hash; the "
        "previous one is used, and that is said.",
        bits_flipped=flipped,
        cut_short=cut,
        files_missing=missing,
        of_another_experiment=1,
        noticed=flipped + cut + missing + 1,
        unnoticed=0,
    )
