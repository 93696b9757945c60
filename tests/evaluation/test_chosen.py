"""Which run stands for a study: of a recommended cell, the best on validation."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tessera.evaluation.chosen import Chosen, chosen
from tessera.evaluation.study_record import study_record
from tessera.experiment import Cnn, Experiment, Hybrid, Natural, Regime
from tessera.record import StudyRecord

from .studies import ENVIRONMENT, flat, folders, picking, records

TWO = Experiment(
    models=(Cnn(), Hybrid()), regimes=(Regime(name="balanced"),), seeds=(0, 1)
)
VALIDATION = {"cnn": (0.9, 0.1), "hybrid": (0.6, 0.7)}
"""Of either seed: the hybrid is better on average, a CNN the best once."""
FOUND = records(TWO, lambda *_: flat(0.8, 0.5))
PLACES = folders(TWO)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> StudyRecord:
    return study_record(TWO, FOUND, ENVIRONMENT, PLACES, tmp_path_factory.mktemp("no"))


def choose(
    study: StudyRecord, kept: Mapping[str, tuple[int, int]] | None = None
) -> Chosen:
    """The choice where these models' runs had so many training, validation images."""
    by_place = dict(zip(PLACES, FOUND, strict=True))

    def record(place):
        run = by_place[place]
        train, held = (kept or {}).get(run.model, (50, 10))
        counts = {"train_counts": (train,) * 10, "validation_counts": (held,) * 10}
        return run.model_copy(update=counts)

    def score(place):
        return VALIDATION[by_place[place].model][by_place[place].seed]

    return chosen(study, record=record, score=score)


def run(taken: Chosen) -> tuple[str, str]:
    """The one run, and why it."""
    return taken.folder, taken.because


def of(model: str, seed: int) -> str:
    at = [(r.model, r.seed) for r in FOUND].index((model, seed))
    return PLACES[at]


def test_without_a_recommendation_the_best_cell_on_validation_stands_for_the_study(
    study: StudyRecord,
) -> None:
    assert run(choose(study)) == (
        of("hybrid", 1),
        "The study's report recommends no remedy beyond doubt. The run used is hybrid, "
        "balanced, seed 1: the best on average over seeds on 100 validation images, "
        "and of it the best seed.",
    )


def test_what_the_report_recommends_is_used_though_another_is_better_on_validation(
    study: StudyRecord,
) -> None:
    assert run(choose(picking(study, "cnn"))) == (
        of("cnn", 0),
        "The run used is cnn, balanced, seed 0: what the study's report recommends. Of "
        "its seeds it is the best on 100 validation images.",
    )


def test_of_several_recommendations_validation_decides(study: StudyRecord) -> None:
    assert run(choose(picking(study, "cnn", "hybrid"))) == (
        of("hybrid", 1),
        "The run used is hybrid, balanced, seed 1: of the 2 that the study's report "
        "recommends, the best on average over seeds on 100 validation images, and of "
        "it the best seed.",
    )


def test_a_model_without_a_recommended_remedy_counts_with_its_plain_training(
    study: StudyRecord,
) -> None:
    own, other = picking(study, "cnn", "hybrid").rankings
    nothing = other.model_copy(update={"pick": None, "plain": "balanced"})
    taken = choose(study.model_copy(update={"rankings": (own, nothing)}))
    assert taken.folder == of("hybrid", 1)
    assert taken.because == (
        "The run used is hybrid, balanced, seed 1: of what the study's report "
        "recommends for each model, plain training where it recommends no remedy, the "
        "best on average over seeds on 100 validation images, and of it the best seed."
    )


def test_a_cell_that_keeps_fewer_images_is_not_used_though_better_on_validation(
    study: StudyRecord,
) -> None:
    assert run(choose(study, {"hybrid": (9, 1)})) == (
        of("cnn", 0),
        "The study's report recommends no remedy beyond doubt. The run used is cnn, "
        "balanced, seed 0: the best on average over seeds on 100 validation images, of "
        "the regimes that keep the most images, and of it the best seed.",
    )


def test_images_kept_are_those_of_training_and_validation_together(
    study: StudyRecord,
) -> None:
    taken = choose(study, {"cnn": (60, 50), "hybrid": (100, 10)})
    assert taken.folder == of("hybrid", 1)
    assert "most images" not in taken.because


def test_what_is_recommended_for_fewer_images_is_not_used(study: StudyRecord) -> None:
    taken = choose(picking(study, "hybrid"), {"hybrid": (9, 1)})
    assert taken.folder == of("cnn", 0)
    assert taken.because.startswith(
        "What the study's report recommends is for regimes that keep fewer images. "
        "The run used is cnn, balanced, seed 0: the best on average"
    )


def test_of_recommendations_only_those_for_the_most_images_count(
    study: StudyRecord,
) -> None:
    taken = choose(picking(study, "cnn", "hybrid"), {"hybrid": (9, 1)})
    assert taken.folder == of("cnn", 0)


def test_a_ranking_that_recommends_nothing_is_not_said_to_recommend_elsewhere(
    study: StudyRecord,
) -> None:
    (ranking,) = picking(study, "cnn").rankings
    nothing = ranking.model_copy(update={"pick": None})
    none = study.model_copy(update={"rankings": (nothing,)})
    assert choose(none) == choose(study)


def test_of_the_recommended_model_only_the_recommended_regime_counts() -> None:
    plain = Regime(name="plain", profile=Natural())
    both = TWO.model_copy(update={"regimes": (plain, *TWO.regimes)})
    every = records(both, lambda *_: flat(0.8, 0.5))
    place = folders(both)
    found = picking(study_record(both, every, ENVIRONMENT, place), "cnn")
    of = dict(zip(place, every, strict=True))
    taken = chosen(
        found, record=of.__getitem__, score=lambda at: float(of[at].regime == "plain")
    )
    assert "is cnn, balanced, seed 0: what the study's report" in taken.because


def test_of_single_seeds_none_is_said_to_be_the_best_of_several(
    tmp_path: Path,
) -> None:
    kept = [i for i, r in enumerate(FOUND) if r.seed == 0]
    found, places = [FOUND[i] for i in kept], [PLACES[i] for i in kept]
    study = study_record(TWO, found, ENVIRONMENT, places, tmp_path)
    taken = choose(study)
    assert taken.folder == of("cnn", 0)
    assert taken.because.endswith("seed 0: the best on 100 validation images.")


def test_a_cell_of_fewer_seeds_is_judged_by_their_mean(tmp_path: Path) -> None:
    kept = [i for i, r in enumerate(FOUND) if (r.model, r.seed) != ("hybrid", 0)]
    found, places = [FOUND[i] for i in kept], [PLACES[i] for i in kept]
    study = study_record(TWO, found, ENVIRONMENT, places, tmp_path)
    # 0.7 of one hybrid against 0.9 and 0.1 of two CNNs.
    assert choose(study).folder == of("hybrid", 1)


def test_a_cell_without_a_finished_run_is_passed_over(tmp_path: Path) -> None:
    study = study_record(TWO, FOUND[:2], ENVIRONMENT, PLACES[:2], tmp_path)
    assert choose(study).folder == of("cnn", 0)


def test_all_runs_of_the_cell_are_told_with_the_same_reason(study: StudyRecord) -> None:
    taken = choose(study)
    assert set(taken.cell.folders) == {of("hybrid", 0), of("hybrid", 1)}
    assert taken.together == (
        "The study's report recommends no remedy beyond doubt. The runs used are all 2 "
        "of hybrid, balanced: the best on average over seeds on 100 validation images. "
        "They answer together, "
        "with the mean of their probabilities."
    )
    assert choose(picking(study, "cnn")).together == (
        "The runs used are all 2 of cnn, balanced: what the study's report recommends. "
        "They answer together, with the mean of their probabilities."
    )
