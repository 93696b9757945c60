import pytest

from evaluation.checked import check, faithfulness, interval, measured
from evaluation.studies import flat, record
from tessera.evaluation import faithfulness as checked
from tessera.evaluation.faithfulness import Faithfulness, Interval, decide
from tessera.experiment import Regime
from tessera.record import RunFolder

RUN = record("hybrid", Regime(name="balanced"), 0, flat(0.8, 0.7))


@pytest.mark.parametrize(
    "low, high, direction, decision",
    [
        (0.1, 0.3, "higher", "better"),
        (-0.3, -0.1, "higher", "worse"),
        (-0.3, -0.1, "lower", "better"),
        (0.1, 0.3, "lower", "worse"),
        (-0.1, 0.3, "higher", "undecided"),
        (0.0, 0.3, "higher", "undecided"),
        (-0.3, 0.0, "higher", "undecided"),
        (-0.3, 0.1, "lower", "undecided"),
        (-0.1, 0.3, "lower", "undecided"),
        (0.1, 0.3, "neither", "undecided"),
    ],
)
def test_a_difference_is_decided_where_its_whole_interval_lies_on_one_side(
    low, high, direction, decision
):
    found = Interval(mean=(low + high) / 2, low=low, high=high, images=9)
    assert decide(found, direction) == decision


def test_without_an_interval_nothing_is_decided():
    none = Interval(mean=None, low=None, high=None, images=0)
    assert decide(none, "higher") == "undecided"


def test_it_turns_into_json_and_back_without_loss():
    found = faithfulness(RUN)
    assert Faithfulness.model_validate_json(found.model_dump_json()) == found


def test_what_is_not_beaten_is_named():
    row = measured("road", {"random": "undecided", "Sobel edges": "worse"})
    assert row.unbeaten() == ("random", "Sobel edges")
    assert len(row.beaten()) == 3


def test_rows_and_checks_are_found_by_their_key():
    (method,) = faithfulness(RUN, leave_out=("road",)).methods
    assert method.of("deletion_mean").level == interval(0.4)
    assert method.of("road") is None
    assert method.check("cascade").passed is True
    assert method.check("absent") is None
    assert faithfulness(RUN).metric("road").arrow == "↑"


def test_a_file_is_read_only_for_the_model_that_it_speaks_of(tmp_path):
    path = tmp_path / "faithfulness.json"
    assert checked.read(path, RUN) is None
    path.write_text(faithfulness(RUN).model_dump_json())
    assert checked.read(path, RUN) == faithfulness(RUN)
    for change in ({"digest": "e" * 64}, {"finished_at": "later"}):
        assert checked.read(path, RUN.model_copy(update=change)) is None
    path.write_text("{}")
    assert checked.read(path, RUN) is None


def test_of_several_runs_those_are_read_that_were_checked(tmp_path):
    folders = [RunFolder(tmp_path / name) for name in "abc"]
    runs = [RUN.model_copy(update={"digest": 64 * name}) for name in "abc"]
    for folder, run in list(zip(folders, runs, strict=True))[1:]:
        folder.path.mkdir()
        folder.faithfulness.write_text(faithfulness(run).model_dump_json())
    found = checked.read_all(folders, runs)
    assert [one.digest for one in found] == [64 * "b", 64 * "c"]


@pytest.mark.parametrize(
    "key, passed, word",
    [
        ("cascade", True, "passed"),
        ("cascade", False, "failed"),
        ("cascade", None, "open"),
        ("independent", None, "for comparison"),
        ("other_seed", None, "for comparison"),
    ],
)
def test_a_check_ends_in_one_word(key, passed, word):
    assert check(key, passed).result == word
