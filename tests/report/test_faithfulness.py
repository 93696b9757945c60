import html
import re

import pytest
from evaluation.checked import faithfulness
from evaluation.studies import flat, record
from unpainted import charts

from tessera import files
from tessera.experiment import Regime
from tessera.report import faithfulness as shown
from tessera.report.load import load
from tessera.report.page import write_report

from .conftest import SMALL, recalls
from .folders import write_study

MINUS = "\N{MINUS SIGN}"
RUN = record("hybrid", Regime(name="balanced"), 0, flat(0.8, 0.7))


@pytest.fixture
def text():
    return section(faithfulness(RUN))


def section(found):
    return str(shown.section(shown.charted([found]))).replace("\N{NO-BREAK SPACE}", " ")


def row_of(metric, text):
    """The metric's row in the whole table."""
    whole = text.split('aria-label="All metrics"')[1]
    return re.search(rf'scope="row">{metric}&nbsp;.</th>(.*?)</tr>', whole, re.S)[1]


def test_without_checks_the_page_says_how_to_make_them():
    assert "tessera faithfulness" in str(shown.section([]))


def test_every_metric_stands_with_its_direction_interval_and_controls(text):
    row = row_of("deletion mean", text)
    assert "0.40 [0.39, 0.41]" in row
    assert row.count("0.50&nbsp;+") == 5


def test_a_control_that_does_better_is_marked():
    found = faithfulness(
        RUN, worse={"road": ("random",)}, undecided={"road": ("uniform",)}
    )
    row = row_of("road", section(found))
    assert f"0.50&nbsp;{MINUS}" in row and "0.40&nbsp;?" in row
    assert shown.summary(found.methods[0])["worse"] == "1"
    assert shown.summary(found.methods[0])["beats"] == "28 of 30"


def test_a_metric_without_direction_is_not_judged(text):
    row = row_of("brightness", text)
    assert not re.search(f"[+{MINUS}?]", row)


def test_classes_groups_and_blank_maps_have_their_rows(text):
    # Not `tail`: a ranking's tail is of the fewest images, and other classes.
    assert "reduced: cat" in text and "other: dog" in text
    assert "the reduced classes and the others" in text
    assert f"minus random 0.00 [{MINUS}0.01, 0.01]" in text
    assert "1 constant of 4" in text
    assert shown.summary(faithfulness(RUN).methods[0])["blank"].startswith("25.0")


def test_classes_that_are_rare_by_nature_are_not_called_reduced():
    rows = shown.charted([faithfulness(RUN)])
    text = str(shown.section(rows, rare="rare"))
    assert "rare: cat" in text and "the rare classes and the others" in text
    assert "reduced" not in text


def test_what_a_metric_misses_and_a_check_expects_can_be_read_without_a_mouse(text):
    assert "title=" not in text
    metric, check = faithfulness(RUN).metrics[0], faithfulness(RUN).methods[0].checks[0]
    for words in (metric.source, metric.fails, check.caveat, check.expects):
        assert html.escape(words) in text


def test_names_from_the_outside_are_escaped():
    found = faithfulness(RUN.model_copy(update={"model": "<b>"}))
    assert "<b>" not in section(found)


def test_the_chart_points_right_where_the_method_is_better():
    """Deletion is better when lower: its advantage is drawn positive."""
    chart = shown.drawings(faithfulness(RUN))[0]
    assert chart.key == "faithfulness-controls-grad-cam-hybrid--balanced"
    assert "deletion mean, 0.40 [0.39, 0.41], against uniform: better" in (
        chart.alternative
    )


@charts()
def test_a_checked_study_shows_it_and_writes_its_charts(tmp_path):
    one = SMALL.model_copy(
        update={
            "models": SMALL.models[1:],
            "regimes": SMALL.regimes[2:],
            "seeds": (0,),
        }
    )
    folder = write_study(tmp_path, one, recalls)
    study = load(folder)
    run = study.folders["hybrid", "weighted", 0]
    checked = faithfulness(study.cells["hybrid", "weighted"][0])
    files.write_text(run.faithfulness, checked.model_dump_json())
    text = write_report(folder).read_text(encoding="utf-8")
    assert "hybrid, weighted, seed 0" in text.split('id="faithfulness"')[1]
    names = {p.name for p in (folder / "figures").iterdir()}
    assert "faithfulness-controls-grad-cam-hybrid--weighted.svg" in names
    assert "faithfulness-curves-grad-cam-hybrid--weighted.svg" in names
    assert [f.regime for f in shown.checks_of(load(folder))] == ["weighted"]


def test_numbers_are_short_and_a_missing_one_is_a_dash():
    assert shown.number(-0.004) == "0.00"
    assert shown.number(-0.25) == "\N{MINUS SIGN}0.25"
    assert shown.number(None) == "\N{EN DASH}"


def test_what_only_a_later_run_measured_has_its_column_and_source():
    """Mosaics need right answers of four classes, which the first run may lack."""
    whole = faithfulness(RUN)
    (method,) = whole.methods
    rows = tuple(m for m in method.measured if m.metric != "mosaic_energy")
    first = whole.model_copy(
        update={
            "methods": (method.model_copy(update={"measured": rows}),),
            "metrics": tuple(m for m in whole.metrics if m.key != "mosaic_energy"),
        }
    )
    both = str(shown.section(shown.charted([first, whole])))
    name = whole.metric("mosaic_energy").name
    overview = both.split('aria-label="Faithfulness, overview"')[1].split("</table>")[0]
    assert f'<th scope="col">{name}&nbsp;' in overview
    head, *lines = re.findall(r"<tr>.*?</tr>", overview, re.S)
    cells = [len(re.findall("<t[hd]", line)) for line in lines]
    assert cells == [head.count("<th")] * 2
    sources = both.split('aria-label="Metrics and checks"')[1].split("</table>")[0]
    assert name in sources and method.checks[0].name in sources
