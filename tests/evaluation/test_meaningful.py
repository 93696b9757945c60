"""The verdict on Grad-CAM follows from the numbers, in the way that was announced."""

import pytest

from evaluation.checked import faithfulness
from evaluation.studies import flat, record, records
from tessera.evaluation import findings, hypotheses, meaningful
from tessera.experiment import Experiment, Regime

RUNS = [record("hybrid", Regime(name="balanced"), s, flat(0.8, 0.7)) for s in (0, 1)]


def verdict(*changes):
    found = [faithfulness(r, **c) for r, c in zip(RUNS, changes, strict=False)]
    return meaningful.judged(findings.GRAD_CAM, found)


def test_it_is_supported_when_every_run_beats_every_control_and_is_sane():
    found = verdict({}, {})
    assert found.verdict == "supported"
    assert "30 of 30 comparisons, less in 0." in found.because


def test_even_then_no_number_says_that_the_region_is_the_object():
    assert "without outlines" in verdict({}).because


def test_one_control_that_does_better_in_one_run_refutes_it():
    found = verdict({}, {"worse": {"road": ("centred Gaussian",)}})
    assert found.verdict == "not supported"
    assert "centred Gaussian (1)" in found.because
    assert "less in 1" in found.because


def test_an_open_comparison_leaves_it_open():
    found = verdict({}, {"undecided": {"deletion_blur": ("Sobel edges",)}})
    assert found.verdict == "not decided"
    assert "undecided in 1" in found.because


def test_maps_that_survive_random_weights_refute_it():
    assert verdict({"sane": False}).verdict == "not supported"


@pytest.mark.parametrize("change", [{"sane": None}, {"controlled": False}])
def test_an_open_or_uncontrolled_sanity_check_leaves_it_open(change):
    assert verdict(change).verdict == "not decided"


def test_mosaics_worse_than_chance_refute_it():
    worse = {"worse": {"mosaic_energy": ("uniform",)}}
    assert verdict(worse).verdict == "not supported"


@pytest.mark.parametrize("missing", ["road", "mosaic_energy"])
def test_what_was_not_measured_leaves_it_open(missing):
    assert verdict({"leave_out": (missing,)}).verdict == "not decided"


def test_metrics_that_were_not_announced_do_not_count():
    """Insertion is shown, but the hypothesis is about hiding."""
    assert verdict({"worse": {"insertion_mean": ("random",)}}).verdict == "supported"


def test_the_evidence_is_a_sentence_for_each_run_with_the_strongest_control():
    found = verdict({}, {"worse": {"deletion_mean": ("Sobel edges",)}})
    assert len(found.evidence) == 2
    assert found.evidence[1].startswith("hybrid, balanced, seed 1 (100 images): ")
    assert (
        "0.400, with the strongest control (Sobel edges) 0.300 (difference +0.100, "
        "95 % interval +0.090 to +0.110: worse)" in found.evidence[1]
    )
    assert "40 % of the evidence in the right quarter" in found.evidence[0]
    assert (
        "rank correlation 0.10 with maps of random weights (passed)"
        in (found.evidence[0])
    )


def test_another_method_says_nothing_about_grad_cam():
    found = verdict({"name": "occlusion"})
    assert found.verdict == "not tested"


def test_the_studys_verdicts_take_the_checks_into_account():
    experiment = Experiment()
    finished = records(experiment, lambda m, r, s: flat(0.8, 0.7))
    before = hypotheses.verdicts(experiment, finished)
    after = hypotheses.verdicts(
        experiment, finished, [faithfulness(r) for r in finished]
    )
    changed = [v.key for v, w in zip(before, after, strict=True) if v != w]
    assert changed == ["grad-cam-meaningful"]
    assert after[3].verdict == "supported"
