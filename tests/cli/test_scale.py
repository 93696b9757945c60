"""The options of engines are there for whoever asks for help."""

import subprocess
import sys


def test_help_names_the_engines_and_their_options() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tessera", "study", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    for option in ("--engine", "--address", "--threads", "--gpus", "--seeds-together"):
        assert option in done.stdout
