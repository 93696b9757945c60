import pytest
from evaluation.studies import flat

from tessera.experiment import Cnn, Experiment, HybridPlus, OwnTraining, Reduced, Regime
from tessera.remedies import Oversampling, Remedy, Variation
from tessera.report.committed.varied import main

from ..folders import write_study

VARIED = OwnTraining(rotation=15, zoom=0.2)
SMALL = OwnTraining(batch_size=32)
OVER = Remedy(sampling=Oversampling())
TWINS = Experiment(
    name="varied",
    models=(
        Cnn(),
        HybridPlus(training=SMALL),
        Cnn(name="cnn-varied", training=VARIED),
        HybridPlus(
            name="plus-varied", training=SMALL.model_copy(update={"colour": 0.3})
        ),
    ),
    regimes=(
        Regime(name="rare", profile=Reduced()),
        Regime(name="over", profile=Reduced(), remedy=OVER),
        Regime(
            name="more",
            profile=Reduced(),
            remedy=OVER.model_copy(update={"variation": Variation()}),
        ),
    ),
    seeds=(0, 1, 2),
)


@pytest.fixture(scope="module")
def lines(tmp_path_factory) -> list[str]:
    def recalls(model, regime, seed):
        ahead = 0.1 if model == "plus-varied" else 0.02 * (regime == "more")
        return flat(0.6 + ahead, 0.5 + ahead + 0.01 * seed)

    folder = write_study(tmp_path_factory.mktemp("study") / "varied", TWINS, recalls)
    page = folder.parent / "page.md"
    page.write_text("a\n<!-- varied:begin -->\n<!-- varied:end -->\nb\n")
    main([str(page), str(folder)])
    return page.read_text().splitlines()


def rows(lines, head):
    start = next(i for i, line in enumerate(lines) if head in line)
    found = lines[start + 2 : lines.index("", start)]
    return [row.strip("| ").split(" | ") for row in found]


def test_each_model_stands_beside_its_twin_whose_images_vary(lines):
    found = rows(lines, "| All varied |")
    assert [row[:2] for row in found] == [
        [model, regime]
        for model in ("cnn", "hybrid-plus")
        for regime in ("rare", "over", "more")
    ]
    assert found[3][4].strip("*").startswith("+10.0")


def test_each_remedy_stands_beside_its_twin_that_varies_rarer_classes_more(lines):
    found = rows(lines, "| Rarer classes varied more |")
    models = ["cnn", "hybrid-plus", "cnn-varied", "plus-varied"]
    assert [row[:2] for row in found] == [[model, "over"] for model in models]
    assert found[0][4].strip("*").startswith("+2.0")
    assert found[3][4].strip("*").startswith("0.0")


def test_another_number_of_words_is_answered_with_the_usage():
    with pytest.raises(SystemExit, match="usage"):
        main(["page.md"])
