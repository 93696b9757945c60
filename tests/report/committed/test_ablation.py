import pytest
from evaluation.studies import flat

from tessera.experiment import Cnn, Experiment, Regime, Training
from tessera.report.committed.ablation import ablation, main
from tessera.report.load import load

from ..folders import write_study

VARIANTS = Experiment(
    name="variants",
    models=(Cnn(), Cnn(name="worse"), Cnn(name="same")),
    regimes=(Regime(name="balanced"),),
    training=Training(epochs=3),
    seeds=(0, 1),
)
LEVELS = {
    ("cnn", 0): (0.5, 0.80, 0.7),
    ("cnn", 1): (0.5, 0.82, 0.7),
    ("worse", 0): (0.1, 0.2, 0.30),
    ("worse", 1): (0.1, 0.2, 0.31),
    ("same", 0): (0.80, 0.1, 0.1),
    ("same", 1): (0.82, 0.1, 0.1),
}
"""Balanced accuracy on validation images, by model and seed, of three epochs."""

MIXED = VARIANTS.model_copy(
    update={
        "models": (Cnn(),),
        "regimes": (Regime(name="balanced"), Regime(name="with-mixup")),
    }
)


def written(place, experiment, levels):
    folder = write_study(place, experiment, lambda *_: flat(0.8, 0.5))
    for (model, regime, seed), run in load(folder).folders.items():
        lines = "\n".join(map(str, levels(model, regime, seed)))
        run.history.write_text(f"val_balanced_accuracy\n{lines}\n")
    return folder


@pytest.fixture(scope="module")
def variants(tmp_path_factory):
    place = tmp_path_factory.mktemp("variants")
    return written(place, VARIANTS, lambda model, _, seed: LEVELS[model, seed])


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    place = tmp_path_factory.mktemp("mixed")
    return written(
        place,
        MIXED,
        lambda _, regime, seed: (
            LEVELS["cnn", seed] if regime == "balanced" else (0.6 + 0.02 * seed,)
        ),
    )


def rows(text):
    cells = [line.split("|")[1:-1] for line in text.splitlines() if "|" in line]
    return {name.strip(): [c.strip() for c in rest] for name, *rest in cells}


def test_every_variant_is_compared_with_the_first_by_its_best_epoch(variants):
    found = rows(ablation(load(variants)))
    assert found["cnn"][:3] == ["81.0 \N{PLUS-MINUS SIGN} 1.4", "", ""]
    assert found["worse"][1].startswith("\N{MINUS SIGN}50.5 [")
    assert found["worse"][2] == "worse"
    assert found["same"][1].startswith("0.0 [")
    assert found["same"][2] == "no"


def test_a_regime_of_another_study_is_a_variant_and_the_same_runs_count_once(
    variants, mixed
):
    text = ablation(load(variants), load(mixed))
    assert list(rows(text)) == [
        *("Variant", "---", "cnn", "worse", "same", "with-mixup"),
    ]
    assert rows(text)["with-mixup"][1].startswith("\N{MINUS SIGN}20.0 [")
    assert "`mixed" in text and "`variants" in text


def test_other_seeds_do_not_compare(variants, tmp_path):
    other = MIXED.model_copy(update={"seeds": (2, 3)})
    folder = written(tmp_path, other, lambda *_: (0.5,))
    with pytest.raises(ValueError, match="expected the seeds of variants"):
        ablation(load(variants), load(folder))
    page = tmp_path / "page.md"
    with pytest.raises(SystemExit, match="expected the seeds of variants"):
        main([str(page), str(variants), str(folder)])
    assert not page.exists()


def test_the_page_gets_the_table(variants, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- ablation:begin -->\n<!-- ablation:end -->\nb\n")
    main([str(page), str(variants)])
    assert "| worse |" in page.read_text(encoding="utf-8")
