"""What a run writes of its epochs is read back as it was."""

from pathlib import Path

import numpy as np

from tessera import history
from tessera.record import RunFolder


def test_a_history_is_read_as_it_was_written(tmp_path: Path) -> None:
    rows = ({"epoch": 1, "loss": 0.1 + 0.2}, {"epoch": 2, "loss": 1e-30})
    folder = RunFolder(tmp_path)
    history.write(folder, rows)
    assert history.read(folder) == rows
    assert history.columns(folder)["loss"].tolist() == [row["loss"] for row in rows]


def test_an_empty_field_of_a_history_is_not_a_number(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.history.write_text("epoch,loss,val_loss\n1,0.5,\n")
    assert np.isnan(history.columns(folder)["val_loss"][0])
