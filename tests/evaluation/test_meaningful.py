"""The verdict on Grad-CAM follows from the numbers, in the way that was announced."""

import pytest

from evaluation.checked import NOTHING, check, faithfulness, interval, measured
from evaluation.studies import flat, record, records
from tessera.evaluation import findings, hypotheses, meaningful
from tessera.evaluation.faithfulness import Against, Interval
from tessera.experiment import Experiment, Regime

RUNS = [record("hybrid", Regime(name="balanced"), s, flat(0.8, 0.7)) for s in (0, 1)]


def verdict(*changes):
    found = [faithfulness(r, **c) for r, c in zip(RUNS, changes, strict=False)]
    return meaningful.judged(findings.GRAD_CAM, found)


def changed(**fields):
    """A check of the first run that beats every control, with other parts."""
    whole = faithfulness(RUNS[0])
    method = whole.methods[0].model_copy(update=fields)
    return whole.model_copy(update={"methods": (method,)})


def test_it_is_supported_when_every_run_beats_every_control_and_is_sane():
    found = verdict({}, {})
    assert found.verdict == "supported"
    assert "30 of 30 comparisons, less in 0. In mosaics of" in found.because


def test_even_then_no_number_says_that_the_region_is_the_object():
    assert "without outlines" in verdict({}).because


def test_one_control_that_does_better_in_one_run_refutes_it():
    found = verdict({}, {"worse": {"road": ("centred Gaussian",)}})
    assert found.verdict == "not supported"
    assert "centred Gaussian (1)" in found.because
    assert "less in 1" in found.because


def test_what_does_better_though_it_knows_nothing_is_named_worst_first():
    worse = {"road": ("random",), "deletion_mean": ("Sobel edges",)}
    more = {"worse": {"road": ("Sobel edges",)}}
    told = verdict({"worse": worse}, more).because
    assert "nothing: Sobel edges (2) and random (1). " in told


def test_runs_that_find_the_right_place_are_counted():
    found = verdict({}, {"undecided": {"mosaic_energy": ("uniform",)}})
    assert found.verdict == "not decided"
    assert "better than chance in 1 of 2 runs; with all" in found.because


def test_an_open_comparison_leaves_it_open():
    found = verdict({}, {"undecided": {"deletion_blur": ("Sobel edges",)}})
    assert found.verdict == "not decided"
    assert "undecided in 1" in found.because


def test_maps_that_survive_random_weights_refute_it():
    assert verdict({"sane": False}).verdict == "not supported"


@pytest.mark.parametrize(
    "change", [{"sane": None}, {"controlled": False}, {"controlled": None}]
)
def test_an_open_or_uncontrolled_sanity_check_leaves_it_open(change):
    assert verdict(change).verdict == "not decided"


@pytest.mark.parametrize("step", [1, -1])
def test_mosaics_worse_than_chance_refute_it_wherever_chance_stands(step):
    worse = {"mosaic_energy": ("uniform",)}
    (method,) = faithfulness(RUNS[0], worse=worse).methods
    rows = [
        m.model_copy(update={"against": m.against[::step]}) for m in method.measured
    ]
    found = meaningful.judged(findings.GRAD_CAM, [changed(measured=tuple(rows))])
    assert found.verdict == "not supported"


@pytest.mark.parametrize("missing", ["road", "mosaic_energy"])
def test_what_was_not_measured_leaves_it_open(missing):
    assert verdict({"leave_out": (missing,)}).verdict == "not decided"


@pytest.mark.parametrize("missing", [meaningful.SANITY, meaningful.CONTROL])
def test_a_sanity_check_that_was_not_made_leaves_it_open(missing):
    (method,) = faithfulness(RUNS[0]).methods
    checks = tuple(c for c in method.checks if c.key != missing)
    found = meaningful.judged(findings.GRAD_CAM, [changed(checks=checks)])
    assert found.verdict == "not decided"
    assert "as they must in 0 of 1 run" in found.because


def test_what_no_image_has_a_value_for_is_open_and_not_told():
    (method,) = faithfulness(RUNS[0]).methods
    empty = {"level": NOTHING, "against": ()}
    whole = changed(
        measured=tuple(m.model_copy(update=empty) for m in method.measured),
        checks=tuple(
            c.model_copy(
                update={"steps": (c.steps[0].model_copy(update={"spearman": NOTHING}),)}
            )
            for c in method.checks
        ),
    )
    found = meaningful.judged(findings.GRAD_CAM, [whole])
    assert found.verdict == "not decided"
    assert (
        "in 0 of 3 comparisons, less in 0, undecided in 3. There are" in found.because
    )
    assert found.evidence == ("hybrid, balanced, seed 0 (100 images): no mosaics.",)


def test_only_runs_that_have_mosaics_are_counted_among_them():
    some = verdict({"leave_out": ("mosaic_energy",)}, {})
    assert "the right quarter better than chance in 1 of 1 run that" in some.because
    assert "as they must in 2 of 2 runs" in some.because


def test_without_mosaics_it_is_said_that_there_are_none_and_why():
    none = verdict({"leave_out": ("mosaic_energy",)}, {"leave_out": ("mosaic_energy",)})
    assert "right quarter" not in none.because
    assert "There are no mosaics, which need" in none.because
    assert "no mosaics" in none.evidence[0]


def test_a_small_difference_is_told_with_its_side_and_size():
    """Three decimals would call it zero."""
    found = checked(
        level=0.3, control=0.30029, difference=(-0.00029, -0.00042, -0.00016)
    )
    assert found == (
        "0.300, with the strongest control (random) 0.300 (difference "
        "\N{MINUS SIGN}0.00029, 95 % interval \N{MINUS SIGN}0.00042 to "
        "\N{MINUS SIGN}0.00016: better)"
    )


def test_a_difference_of_too_few_images_has_no_interval_and_is_not_told():
    """Fewer than five have a mean, see `tessera.results.FEW`."""
    few = Interval(mean=0.1, low=None, high=None, images=4)
    against = Against(control="random", level=few, difference=few, decision="undecided")
    (method,) = faithfulness(RUNS[0]).methods
    rows = tuple(
        m.model_copy(update={"level": few, "against": (against,)})
        for m in method.measured
        if m.metric != meaningful.PLACE
    )
    found = meaningful.judged(
        findings.GRAD_CAM, [changed(measured=rows, checks=method.checks[1:])]
    )
    assert found.verdict == "not decided"
    assert found.evidence == ("hybrid, balanced, seed 0 (100 images): no mosaics.",)


def test_numbers_below_zero_have_a_true_minus_and_zero_has_none():
    found = checked(level=-0.005, control=-0.0001, difference=(-0.0049, -0.05, 0.0))
    assert found == (
        "\N{MINUS SIGN}0.005, with the strongest control (random) 0.000 (difference "
        "\N{MINUS SIGN}0.005, 95 % interval \N{MINUS SIGN}0.050 to 0.000: better)"
    )


def test_a_rank_correlation_below_zero_has_a_true_minus():
    whole = faithfulness(RUNS[0])
    method = whole.methods[0]
    cascade = check("cascade", True, -0.41)
    # Before all weights are drawn anew, only the last layer's are.
    steps = (*check("cascade", True, 0.9).steps, *cascade.steps)
    checks = (cascade.model_copy(update={"steps": steps}), *method.checks[1:])
    method = method.model_copy(update={"checks": checks})
    said = meaningful.sentence(whole, method)
    assert "rank correlation \N{MINUS SIGN}0.41 with maps" in said


def checked(*, level, control, difference):
    """What is said of a run's ROAD beside one control."""
    mean, low, high = difference
    against = Against(
        control="random",
        level=interval(control),
        difference=Interval(mean=mean, low=low, high=high, images=100),
        decision="better",
    )
    row = measured("road", {}).model_copy(
        update={"level": interval(level), "against": (against,)}
    )
    whole = faithfulness(RUNS[0])
    method = whole.methods[0].model_copy(update={"measured": (row,), "checks": ()})
    said = meaningful.sentence(whole, method)
    return said.split("ROAD is ")[1].removesuffix("; no mosaics.")


def test_metrics_that_were_not_announced_do_not_count():
    """Insertion is shown, but the hypothesis is about hiding."""
    assert verdict({"worse": {"insertion_mean": ("random",)}}).verdict == "supported"


def test_the_evidence_is_a_sentence_for_each_run_with_the_strongest_control():
    worse = {"deletion_mean": ("Sobel edges",), "road": ("class mean",)}
    found = verdict({}, {"worse": worse})
    assert len(found.evidence) == 2
    assert found.evidence[1].startswith("hybrid, balanced, seed 1 (100 images): ")
    assert (
        "0.400, with the strongest control (Sobel edges) 0.300 (difference +0.100, "
        "95 % interval +0.090 to +0.110: worse)" in found.evidence[1]
    )
    # A low area and a high ROAD are good.
    assert (
        "ROAD is 0.400, with the strongest control (class mean) 0.500 (difference "
        "\N{MINUS SIGN}0.100" in found.evidence[1]
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
