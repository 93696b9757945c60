import pytest
from evaluation.studies import flat

from tessera.experiment import Cnn, Experiment, HybridPlus, OwnTraining, Reduced, Regime
from tessera.report.committed.kept import main

from ..folders import write_study

LAST = OwnTraining(monitor="last_epoch")
TWINS = Experiment(
    name="kept",
    models=(
        Cnn(),
        HybridPlus(),
        Cnn(name="cnn-last", training=LAST),
        HybridPlus(name="plus-last", training=LAST),
    ),
    regimes=(Regime(name="rare", profile=Reduced()),),
    seeds=(0, 1),
)


def test_a_page_gets_each_model_beside_its_twin_that_keeps_the_last_epoch(tmp_path):
    def recalls(model, _, seed):
        return flat(0.7 if model == "plus-last" else 0.6, 0.5 + 0.01 * seed)

    folder = write_study(tmp_path / "kept", TWINS, recalls)
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- kept:begin -->\n<!-- kept:end -->\nb\n")
    main([str(page), str(folder)])
    rows = [r for r in page.read_text().splitlines() if "| rare |" in r]
    assert [row.split(" | ")[0] for row in rows] == ["| cnn", "| hybrid-plus"]
    with pytest.raises(SystemExit, match="usage"):
        main([str(page)])
