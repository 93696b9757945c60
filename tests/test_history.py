"""What a run writes of its epochs is read back as it was."""

from pathlib import Path

from tessera import history
from tessera.record import RunFolder


def test_a_history_is_read_as_it_was_written(tmp_path: Path) -> None:
    rows = ({"epoch": 1, "loss": 0.1 + 0.2}, {"epoch": 2, "loss": 1e-30})
    folder = RunFolder(tmp_path)
    history.write(folder, rows)
    assert history.read(folder) == rows
