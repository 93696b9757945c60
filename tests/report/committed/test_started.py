import pytest
from evaluation.studies import flat

from tessera.experiment import (
    Cnn,
    Experiment,
    Hybrid,
    OwnTraining,
    Reduced,
    Regime,
    Start,
)
from tessera.report.committed.started import main, table
from tessera.report.load import load

from ..folders import write_study

START = Start(run="runs/larger", sha256="0" * 64)
GENTLE = OwnTraining(learning_rate=1e-4)
TWINS = Experiment(
    name="twins",
    models=(
        Cnn(),
        Hybrid(),
        Hybrid(name="gentle", training=GENTLE),
        Hybrid(name="gentle-started", training=GENTLE, start=START),
        Hybrid(name="hybrid-started", start=START),
    ),
    regimes=(Regime(name="imbalanced", profile=Reduced()),),
    seeds=(0, 1, 2),
)
BEGUN = "Starts from the weights of another run."


def recalls(model, _, seed):
    ahead = 0.1 + 0.02 * seed if model == "hybrid-started" else 0.0
    return flat(0.6 + ahead, 0.5 + ahead)


def noted(record):
    return record.model_copy(
        update={"notes": (BEGUN,) if "started" in record.model else ("else",)}
    )


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("twins"), TWINS, recalls, noted)


def test_a_twin_stands_beside_the_model_that_is_trained_as_it_is(twins):
    lines = table(load(twins)).splitlines()
    (own,) = (line for line in lines if "| hybrid " in line)
    (gentle,) = (line for line in lines if "| gentle " in line)
    assert "+0.0" not in own and " 0.0 " in gentle


def test_what_the_weights_have_learned_from_is_told_once(twins):
    assert table(load(twins)).count(BEGUN) == 1


def test_a_page_gets_the_table_between_its_markers(twins, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- started:begin -->\n<!-- started:end -->\nb\n")
    main([str(page), str(twins)])
    assert "| gentle | imbalanced |" in page.read_text()
    with pytest.raises(SystemExit, match="usage"):
        main([str(page)])
