"""Tables of a check fit a terminal; a line each says what they come to."""

import io

import pytest
from evaluation.checked import NOTHING, check, faithfulness, interval
from evaluation.studies import flat, record
from rich.console import Console

from tessera.cli import faithfulness_tables as tables
from tessera.experiment import Regime

RUN = record("hybrid", Regime(name="balanced"), 0, flat(0.8, 0.7))


def printed(found):
    console = Console(file=io.StringIO(), width=80)
    tables.show(found, console)
    return console.file.getvalue()


def test_the_table_fits_a_terminal_and_names_what_is_not_beaten():
    text = printed(faithfulness(RUN, worse={"road": ("Sobel edges",)}))
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "0.400 [0.390, 0.410]" in text
    assert "Sobel" in text and "4 controls" in text
    assert "Blank or degenerate maps: 1 of 100; cat 1 constant." in text
    assert "A note." in text


def test_a_value_that_no_image_has_is_said():
    assert tables.words(NOTHING) == "none"
    assert tables.words(interval(0.5)) == "0.500 [0.490, 0.510]"


def test_a_list_of_controls_stays_short():
    assert tables.names(()) == "none"
    assert tables.names(("a", "b")) == "a, b"
    assert tables.names(tuple("abcd")) == "4 controls"


def test_a_control_of_the_check_is_not_shown_as_passed():
    assert tables.result(check("cascade", True)) == "passed"
    assert tables.result(check("other_seed", None)) == "for comparison"
    results = [tables.result(check("edges", p)) for p in (True, False, None)]
    expected = ["control: as expected", "control: not as expected", "control: open"]
    assert results == expected
    lines = printed(faithfulness(RUN)).splitlines()
    (edges,) = [line for line in lines if "check of edges" in line]
    assert "control: as" in edges and "passed" not in edges


# Three ways of hiding against five controls are 15 decisions.
@pytest.mark.parametrize(
    "found,expected",
    [
        (
            faithfulness(RUN),
            "supported (hiding: 15 of 15 better, 0 worse; place in mosaics: found; "
            "layers drawn anew: passed)",
        ),
        (
            faithfulness(RUN, worse={"road": ("random", "uniform")}, sane=None),
            "not supported (hiding: 13 of 15 better, 2 worse; place in mosaics: "
            "found; layers drawn anew: open)",
        ),
        (
            faithfulness(RUN, undecided={"mosaic_energy": ("uniform",)}),
            "not decided (hiding: 15 of 15 better, 0 worse; place in mosaics: "
            "undecided; layers drawn anew: passed)",
        ),
        (
            faithfulness(RUN, leave_out=("mosaic_energy",)),
            "not decided (hiding: 15 of 15 better, 0 worse; place in mosaics: "
            "there are none; layers drawn anew: passed)",
        ),
    ],
    ids=["supported", "not supported", "not decided", "no mosaics"],
)
def test_a_run_is_summed_up_in_a_line(found, expected):
    console = Console(file=io.StringIO(), width=80)
    tables.summarise([found], console)
    _, question, line = console.file.getvalue().splitlines()
    assert question.startswith("Do the maps mark what the answers depend on?")
    assert line == f"  Grad-CAM, hybrid, balanced, seed 0: {expected}"
