from pathlib import Path

import pytest
from evaluation.studies import flat

from tessera import files
from tessera.experiment import Cnn, Experiment
from tessera.report.committed.ensembles import asked, main, table
from tessera.report.load import load

from ..folders import write_study

ONE = Experiment(name="one", models=(Cnn(),), seeds=(0, 1))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_study(
        tmp_path_factory.mktemp("one"), ONE, lambda m, r, s: flat(0.8 + 0.02 * s, 0.5)
    )


def test_a_study_of_before_gets_the_same_ensembles_from_its_predictions(
    folder, tmp_path
):
    now = load(folder)
    cells = [c.model_copy(update={"ensemble": None}) for c in now.record.cells]
    before = now.record.model_copy(update={"cells": tuple(cells)})
    files.write_text(folder / "study.json", before.model_dump_json())
    found = list(asked(load(folder)))
    files.write_text(folder / "study.json", now.record.model_dump_json())
    assert [cell.ensemble for cell in found] == [c.ensemble for c in now.record.cells]


def test_a_line_for_each_cell_with_a_mark_where_seeds_see_other_images(folder):
    text = table([load(folder)])
    rows = [line for line in text.splitlines() if line.startswith("| ")][2:]
    assert [row.split(" | ")[2] for row in rows] == [
        "balanced",
        "imbalanced \\*",
        "weighted \\*",
    ]
    assert "seeds of 8 epochs" in text


def test_it_stands_between_the_markers(folder, tmp_path: Path):
    page = tmp_path / "page.md"
    files.write_text(page, "A\n<!-- ensembles:begin -->\n<!-- ensembles:end -->\n")
    main([str(page), str(folder)])
    assert "| cnn | balanced |" in page.read_text(encoding="utf-8")
    with pytest.raises(SystemExit, match="usage: "):
        main([str(page)])
