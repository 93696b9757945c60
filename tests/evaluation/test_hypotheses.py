from tessera.evaluation.hypotheses import verdicts
from tessera.experiment import Experiment, Hybrid, Regime

from .studies import flat, records

STUDY = Experiment()


def recalls(model, regime, seed):
    return flat(0.8, 0.5 + 0.01 * seed)


def test_every_claim_of_the_study_gets_one_verdict_in_the_studys_order():
    found = verdicts(STUDY, records(STUDY, recalls))
    assert [v.key for v in found] == [
        "balanced-training",
        "imbalance-costs-recall",
        "class-weights-help",
        "grad-cam-meaningful",
        "cnn-lacks-context",
        "transformers-need-data",
        "hybrid-wins",
    ]


def test_verdicts_survive_any_subset_of_finished_runs():
    finished = records(STUDY, recalls)
    for count in range(len(finished) + 1):
        assert len(verdicts(STUDY, finished[:count])) == 7


def test_a_single_seed_decides_nothing():
    one = Experiment(seeds=(0,))
    found = verdicts(one, records(one, recalls))
    assert {v.verdict for v in found} <= {"not decided", "not tested"}


def test_an_experiment_without_the_cells_tests_nothing_and_says_why():
    small = Experiment(models=(Hybrid(),), regimes=(Regime(name="balanced"),))
    found = verdicts(small, records(small, recalls))
    untested = [v for v in found if v.verdict == "not tested"]
    assert len(untested) == 5
    assert all(v.because for v in untested)


def test_the_order_of_the_records_does_not_matter():
    finished = records(STUDY, recalls)
    assert verdicts(STUDY, finished[::-1]) == verdicts(STUDY, finished)
