"""A folder of a thousand bad images: no crash, no hang, each listed with its reason."""

import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from proofs import bad_images
from proofs.conftest import Proof

SECONDS = 300
MEMORY = 1_000
"""MB that looking at the folder may take; the largest picture allowed needs most."""

LOOK = """
import json, pathlib, resource, sys
from tessera.data import divided, inspect
from tessera.experiment import Folder
found = inspect.inspect(divided.read(Folder(path=sys.argv[1]))).to_json()
# On Linux `ru_maxrss` starts from the peak of the process that started this one.
status = pathlib.Path("/proc/self/status")
peak = status.read_text().split("VmHWM:")[1].split()[0] if status.exists() else None
found["memory"] = int(peak or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / 1024
print(json.dumps(found))
"""


def look(root: Path) -> tuple[dict[str, Any], float]:
    """Inspect a folder in a process of its own; what it found, and seconds."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", LOOK, str(root)],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1]), time.perf_counter() - began


@pytest.mark.proof
@pytest.mark.timeout(SECONDS + 120)
@pytest.mark.skipif(sys.platform == "win32", reason="memory is measured by `resource`")
def test_the_largest_pictures_allowed_are_decoded_one_at_a_time(
    tmp_path: Path, proof: Proof
) -> None:
    side = proof.size(short=2_100, whole=9_450)
    rows = bytes(1 + 4 * side) * side
    transparent = bad_images.png(side, side, 8, 6, rows)
    for number in range(4):
        path = tmp_path / "images" / ("odd", "strange")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(transparent)
    found, _ = look(tmp_path / "images")
    assert found["unreadable"] == []
    # Pillow keeps RGBA and RGB alike in four bytes a pixel: the picture and its result.
    assert found["memory"] < 200 + 1.1 * 8 * side * side / 2**20
    proof.record(
        "large_images",
        "Large pictures are decoded one at a time: memory is bounded by the largest.",
        pixels_each=side * side,
        pictures=4,
        peak_memory_mb=round(found["memory"]),
    )


@pytest.mark.proof
@pytest.mark.timeout(SECONDS + 120)
@pytest.mark.skipif(sys.platform == "win32", reason="memory is measured by `resource`")
def test_bad_images_are_read_or_listed_with_a_reason(
    tmp_path: Path, proof: Proof
) -> None:
    count = proof.size(short=108, whole=1000)
    root, canary = tmp_path / "images", tmp_path / "canary"
    canary.write_text("untouched")
    expected = {}
    for number, bad in enumerate(bad_images.files(count, seed=0)):
        label = ("odd", "strange")[number % 2]
        path = root / label / f"{number:04d} {bad.kind.replace('/', ' ')}.{bad.suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bad.content)
        expected[path.relative_to(root).as_posix()] = bad

    found, seconds = look(root)
    refused = {entry["path"]: entry["reason"] for entry in found["unreadable"]}
    readable = sum(sum(counts) for counts in found["counts"].values())

    assert readable + len(refused) == count
    wrong = [
        (path, bad.fate, refused.get(path))
        for path, bad in expected.items()
        if bad.fate != "either" and (bad.fate == "refused") != (path in refused)
    ]
    assert wrong == []
    assert all(reason.strip() for reason in refused.values())
    assert not found["safe"]
    assert found["memory"] < MEMORY
    assert canary.read_text() == "untouched"
    assert [entry.name for entry in tmp_path.iterdir() if entry.is_file()] == ["canary"]
    kinds = Counter(bad.kind for bad in expected.values())
    proof.record(
        "bad_images",
        "Bad images crash and hang nothing; each is read by the rule or listed.",
        files=count,
        kinds=len(kinds),
        listed_with_a_reason=len(refused),
        read=readable,
        crashes=0,
        seconds=round(seconds, 1),
        peak_memory_mb=round(found["memory"]),
        memory_bound_mb=MEMORY,
    )
