"""Workers started from a user's script do not run it again."""

import subprocess
import sys
from pathlib import Path

from tessera.api.script import script_kept_out

SCRIPT = """
import multiprocessing
from tessera.api.script import script_kept_out

print("the script ran")
with script_kept_out():
    worker = multiprocessing.get_context("spawn").Process(target=print, args=("work",))
    worker.start()
    worker.join()
"""


def test_a_script_without_a_guard_runs_once(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.split("\n")) == ["", "the script ran", "work"]


def test_the_script_has_its_names_back_afterwards() -> None:
    main = sys.modules["__main__"]
    before = (main.__spec__, getattr(main, "__file__", None))
    with script_kept_out():
        assert main.__spec__ is None
    assert (main.__spec__, getattr(main, "__file__", None)) == before
