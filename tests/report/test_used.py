import pytest

from tessera.meant import choose
from tessera.record import RunFolder
from tessera.report import used
from tessera.report.load import Study, load
from tessera.report.page import page

from .conftest import SMALL, recalls
from .folders import write_study


@pytest.fixture
def with_models(tmp_path) -> Study:
    """A study whose runs left weights, which nothing here opens."""
    study = load(write_study(tmp_path / "study", SMALL, recalls))
    for run in study.folders.values():
        run.weights.write_bytes(b"")
    return study


def test_the_report_names_the_run_that_the_commands_take(with_models, drawn):
    told = used.sentence(with_models)
    assert told == choose(with_models.folder.path).because
    assert "The run used is " in told
    assert "<code>serve</code> take one of its runs. " in page(with_models, drawn)


@pytest.mark.parametrize("lost", ["weights", "validation_predictions"])
def test_a_collected_study_has_no_run_to_take(with_models, lost):
    last: RunFolder = [*with_models.folders.values()][-1]
    getattr(last, lost).unlink()
    assert used.sentence(with_models) == ""
