"""`make audit` fails on a known weakness, and says when nobody could be asked."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "tools" / "audit.sh"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a shell script")


def audit(tmp_path: Path, *, installed: bool, says: str, code: int) -> tuple[int, str]:
    """Exit status and words of the script, with a Python that answers as told."""
    (tmp_path / "answer").write_text(says)
    python = tmp_path / "python"
    python.write_text(
        "#!/bin/sh\n"
        f'case "$*" in *--version*) exit {0 if installed else 1} ;; esac\n'
        f"cat {tmp_path}/answer >&2\n"
        f"exit {code}\n"
    )
    python.chmod(0o755)
    done = subprocess.run(
        ["sh", str(SCRIPT), str(python), "lock.txt"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_a_known_weakness_fails_and_is_shown(tmp_path: Path) -> None:
    found = "Found 1 known vulnerability in 1 package\npillow 1.0 CVE-2020-1 12.0"
    code, said = audit(tmp_path, installed=True, says=found, code=1)
    assert code == 1 and "CVE-2020-1" in said


def test_no_weakness_passes_and_claims_nothing_else(tmp_path: Path) -> None:
    clean = "No known vulnerabilities found"
    code, said = audit(tmp_path, installed=True, says=clean, code=0)
    assert (code, said) == (0, clean + "\n")


def test_a_machine_that_is_offline_passes_and_says_that_it_did_not_ask(
    tmp_path: Path,
) -> None:
    offline = "ERROR:pip_audit._cli:Failed to connect: Max retries exceeded"
    code, said = audit(tmp_path, installed=True, says=offline, code=1)
    assert code == 0 and "audit: not done: the advisories could not be asked" in said


def test_names_that_nobody_knew_are_no_clean_bill(tmp_path: Path) -> None:
    unknown = "No known vulnerabilities found\ncould not be audited: torch\n"
    code, said = audit(tmp_path, installed=True, says=unknown, code=0)
    assert code == 0 and "audit: not done for 1 dependencies" in said


def test_without_the_tool_it_passes_and_says_so(tmp_path: Path) -> None:
    code, said = audit(tmp_path, installed=False, says="", code=1)
    assert code == 0 and "audit: not done: pip-audit is not installed" in said
