import dataclasses
import re
from html.parser import HTMLParser

import pytest

from tessera.experiment import Cnn, Experiment, Regime, Training
from tessera.record import RunFolder
from tessera.report.changes import changes
from tessera.report.class_changes import class_changes
from tessera.report.load import load
from tessera.report.page import absent, isolated, kept, page, write_report
from tessera.report.ranking import ranking_figures
from tessera.report.recalls import score_overview
from tessera.report.tradeoff import tradeoff
from tessera.results import GapClosed, Interval

from .conftest import SMALL, recalls, unpainted
from .folders import write_study

ONE = Experiment(
    models=(Cnn(),),
    regimes=(Regime(name="balanced"),),
    seeds=(0,),
    training=Training(epochs=1),
)

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Outline(HTMLParser):
    """Checks that elements close in order; collects ids, headings and addresses."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.headings, self.addresses = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        if "id" in found:
            self.ids.append(found["id"])
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        for name in ("href", "src", "xlink:href"):
            if name in found:
                self.addresses.append(found[name])

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def text(rendered):
    return (rendered / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def outline(text):
    return Outline(text)


@pytest.fixture(scope="module")
def many_drawn(many):
    return unpainted(many)


@pytest.fixture(scope="module")
def own_drawn(own):
    return unpainted(own)


ATTACK, LEFTWARD = "<img src=x onerror=alert(1)>", r"צה\"ל"


@pytest.fixture(scope="module")
def one_run(tmp_path_factory):
    """A study of one run, with its report, two of whose classes have odd names."""
    folder = write_study(tmp_path_factory.mktemp("one"), ONE, recalls)
    for path in (folder / "study.json", *folder.glob("runs/*/*/record.json")):
        text = path.read_text()
        for name, odd in (("cat", ATTACK), ("dog", LEFTWARD)):
            text = text.replace(f'"{name}"', f'"{odd}"')
        path.write_text(text)
    write_report(folder)
    return folder


@pytest.fixture(scope="module")
def its_text(one_run):
    return (one_run / "report.html").read_text(encoding="utf-8")


def test_elements_close_and_ids_are_unique(outline):
    assert outline.open == []
    assert len(outline.ids) == len(set(outline.ids))


def test_the_page_needs_nothing_but_itself(text, outline):
    assert "<script" not in text
    assert "<link" not in text
    assert "@import" not in text
    assert all(a.startswith(("#", "data:image/png;")) for a in outline.addresses)


def test_links_inside_the_page_lead_somewhere(outline):
    targets = {a[1:] for a in outline.addresses if a.startswith("#")}
    assert targets <= set(outline.ids)


def test_headings_step_down_one_level_at_a_time(outline):
    assert outline.headings[0] == 1
    pairs = zip(outline.headings, outline.headings[1:], strict=False)
    assert all(below - above <= 1 for above, below in pairs)


def test_every_picture_has_words_for_those_who_do_not_see_it(text):
    assert len(re.findall(r"<svg ", text)) == len(
        re.findall(r'<svg role="img" aria-label="[^"]+', text)
    )


def test_every_claim_stands_with_its_verdict(text):
    for sentence in (
        "Balanced training provides stable and high accuracy.",
        "CNN performs well locally but lacks global context.",
    ):
        assert sentence in text
    assert text.count('<article class="claim') == 7


def test_every_figure_is_also_a_file(rendered):
    names = {p.name for p in (rendered / "figures").iterdir()}
    assert {
        "class-distribution.svg",
        "curves-accuracy.svg",
        "curves-loss.svg",
        "per-class-recall.svg",
        "scores.svg",
        "confusion-cnn--balanced.svg",
        "gradcam-hybrid--weighted.svg",
    } <= names


def test_names_from_the_outside_are_escaped(its_text):
    assert "<img" not in its_text
    assert "&lt;img" in its_text


def test_a_name_cannot_turn_the_text_after_it(study, drawn):
    turned = study.record.data.model_copy(update={"name": "\u202egnp.tac \u2067x"})
    record = study.record.model_copy(update={"data": turned})
    found = page(dataclasses.replace(study, record=record), drawn)
    assert "gnp.tac x" in found
    assert not set(found) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068")


def test_a_name_from_right_to_left_turns_nothing_after_it(its_text):
    # As HTML escapes it and as SVG does.
    assert "\u2068צה&#34;ל\u2069" in its_text and '\u2068צה"ל\u2069' in its_text
    assert not re.search('(?<!\u2068)צה("|&#34;)ל', its_text)


def test_a_path_can_be_copied_whatever_its_letters():
    names = ["صقر", "صقر الشاهين"]
    assert isolated("صقر الشاهين/1.jpg", names) == "صقر الشاهين/1.jpg"
    assert isolated("صقر الشاهين, 3", names) == "\u2068صقر الشاهين\u2069, 3"


ALONE = SMALL.model_copy(update={"models": (Cnn(),), "seeds": (7,)})


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The page of one model under three regimes, with one seed."""
    study = load(write_study(tmp_path_factory.mktemp("alone"), ALONE, recalls))
    return page(study, unpainted(study))


def test_one_seed_has_no_means_over_seeds_no_spread_and_no_t_interval(alone):
    # Verdicts quote hypotheses over seeds, which one seed leaves undecided.
    before, _, rest = alone.partition('id="balanced-training"')
    after = rest.rpartition('id="learning"')[2]
    for words in (
        "over seeds,",
        "means over seeds",
        "mean over seeds",
        "Means over seeds",
        "seeds are finished",
        "standard deviation",
        "t-interval",
        "t-test",
        "sign-flip",
        "sign flips",
        "Diamonds",
        "Thin lines",
        "some seed",
        "1 seeds",
        "Few seeds",
        "Gap closed",
    ):
        assert words not in before and words not in after, words
    assert "one seed gives them no interval, so none of them is decided" in alone
    assert "One seed gives these differences neither an interval nor a test" in alone
    assert "training time is that of one run on" in alone


def test_a_lone_model_is_not_compared_with_others(alone, text):
    for words in ("marks the best", "Every model is trained the same way"):
        assert words in text and words not in alone


def test_nothing_is_said_of_balanced_rows_or_of_a_gap_where_there_are_none(tmp_path):
    experiment = SMALL.model_copy(update={"regimes": SMALL.regimes[1:]})
    study = load(write_study(tmp_path, experiment, recalls))
    found = page(study, unpainted(study))
    assert "Reduced classes: cat, deer, dog.</span>" in found
    assert "rows are measured on the same ones" not in found
    assert 'aria-label="Ranking table"' in found
    assert "gap closed" not in found.lower()
    outline = Outline(found)
    assert outline.open == []


def test_the_rows_of_the_ranking_table_are_as_long_as_its_head(text, alone):
    for found in (text, alone):
        table = found.split('aria-label="Ranking table"')[1].split("</table>")[0]
        head, *rows = re.findall(r"<tr.*?</tr>", table, re.DOTALL)
        spans = [int(n) for row in rows for n in re.findall(r'colspan="(\d+)"', row)]
        cells = [len(re.findall(r"<t[hd]", r)) for r in rows if "colspan" not in r]
        assert {*cells, *spans} == {head.count("<th")}


def test_one_of_a_kind_is_told_in_the_singular(one_run, drawn, its_text):
    assert "<summary>The only run</summary>" in its_text
    assert "image classification</h1>" in its_text
    study = load(one_run)
    data = study.record.data.model_copy(update={"image_shape": (8, 8, 1)})
    asked = study.record.experiment.model_copy(update={"seeds": (0, 1)})
    record = study.record.model_copy(update={"data": data, "experiment": asked})
    found = page(dataclasses.replace(study, record=record), drawn)
    assert "8 &times; 8 pixels, 1 channel, 10 classes" in found
    assert "1 of 2 runs is missing: cnn, balanced, seed 1." in found


def test_one_epoch_is_no_epochs(its_text):
    assert "1 epoch &middot;" in its_text and "One dataset, 1 epoch." in its_text
    assert "1 epochs" not in its_text


def test_intervals_that_are_left_out_are_explained(study, drawn):
    data = study.record.data.model_copy(update={"test_counts": (4, *[20] * 9)})
    few = study.record.model_copy(update={"data": data})
    for record, told in ((few, True), (study.record, False)):
        text = page(dataclasses.replace(study, record=record), drawn)
        assert ("a class of fewer than 5 test images" in text) is told


def test_curves_that_a_test_set_of_one_class_cannot_have_are_missed_in_words(
    study, drawn, text
):
    bare = page(study, dataclasses.replace(drawn, precision_recall=(), roc=()))
    for found, told in ((bare, True), (text, False)):
        assert ("All test images are of one class" in found) is told


def test_what_takes_images_of_groups_for_themselves_is_told_once(
    study, many, drawn, many_drawn
):
    for one, pictures in ((study, drawn), (many, many_drawn)):
        data = one.record.data.model_copy(update={"test_groups": (9,) * 10})
        record = one.record.model_copy(update={"data": data})
        text = page(dataclasses.replace(one, record=record), pictures)
        limits = text.split('<h2 id="limits">')[1]
        for what in ("Wilson&rsquo;s", "McNemar&rsquo;s", "checks of heatmaps"):
            assert what in limits
        assert text.count("resemble each other") == limits.count("resemble") == 1
        assert "resemble each other" not in page(one, pictures)


def test_an_interval_without_width_is_not_taken_for_certainty(study, drawn, text):
    assert "is no certainty" not in text
    cell = study.record.cells[0]
    still = dict.fromkeys(cell.intervals, (Interval(low=1.0, high=1.0),) * 2)
    cells = cell.model_copy(update={"intervals": still}), *study.record.cells[1:]
    record = study.record.model_copy(update={"cells": cells})
    assert "is no certainty" in page(dataclasses.replace(study, record=record), drawn)


def test_many_missing_runs_do_not_stand_before_the_answer(study, drawn):
    more = study.record.experiment.model_copy(update={"seeds": (0, 1, 2)})
    record = study.record.model_copy(update={"experiment": more})
    found = page(dataclasses.replace(study, record=record), drawn)
    assert "6 of 18 runs are missing. The same command" in found
    assert found.index("<details>") < found.index("hybrid, weighted, seed 2")


def test_baselines_stand_below_the_regimes_whose_counts_they_know(text):
    table = text[text.index('aria-label="Comparison table"') :]
    groups = re.findall(
        r'scope="rowgroup"[^>]*>without looking at an image: ([^<]*)<', table
    )
    assert groups == ["balanced", "imbalanced and weighted"]
    assert table.count('class="note">majority class</th>') == 2


def test_of_a_runs_files_those_are_named_that_every_folder_holds(study, tmp_path):
    assert kept(study) == "the record, the settings, the history and the predictions"
    whole = {key: RunFolder(tmp_path / str(i)) for i, key in enumerate(study.folders)}
    for run in whole.values():
        run.path.mkdir()
        for file in (run.experiment, run.history, run.model):
            file.touch()
    trained = dataclasses.replace(study, folders=whole)
    assert kept(trained) == "the record, the settings, the history and the model"


def test_what_was_left_out_of_the_data_is_listed_where_the_data_is_described(
    study, drawn
):
    note = (
        "1 of 160 files cannot be used: <cat>/005.png. Repair, convert or remove them."
    )
    data = study.record.data.model_copy(update={"notes": (note,)})
    told = dataclasses.replace(
        study, record=study.record.model_copy(update={"data": data})
    )
    text = page(told, drawn)
    described = text.split('<h2 id="data">')[1].split("</section>")[0]
    assert f"<li>{note.replace('<', '&lt;').replace('>', '&gt;')}</li>" in described


def test_without_images_the_page_says_why_there_are_none(
    many_drawn, tmp_path, monkeypatch
):
    drawn = {False: many_drawn}
    monkeypatch.setattr(
        "tessera.report.page.figures", lambda study, images: drawn[images]
    )
    report = write_report(write_study(tmp_path, ONE, recalls), images=False)
    text = report.read_text(encoding="utf-8")
    assert "data:image" not in text
    assert "No explained images are shown" in text


def test_a_remedy_that_is_recommended_by_test_scores_is_said_to_be(many, many_drawn):
    told = "is chosen by these scores: its own are"
    assert told in page(many, many_drawn)
    none = tuple(r.model_copy(update={"pick": None}) for r in many.record.rankings)
    record = many.record.model_copy(update={"rankings": none})
    assert told not in page(dataclasses.replace(many, record=record), many_drawn)


def test_runs_that_are_missing_are_named(study):
    more = study.record.experiment.model_copy(update={"seeds": (0, 1, 2)})
    record = study.record.model_copy(update={"experiment": more})
    found = absent(dataclasses.replace(study, record=record))
    assert found[0] == "cnn, balanced, seed 2"
    assert len(found) == 6


def test_a_study_of_many_regimes_stays_readable(many, many_drawn):
    text = page(many, many_drawn)
    outline = Outline(text)
    assert outline.open == []
    assert len(outline.ids) == len(set(outline.ids))
    assert "remedies" in outline.ids
    assert "<summary>All 9 cells</summary>" in text
    assert "<summary>All 9 regimes, in words</summary>" in text
    # Six of nine cells have their matrix drawn, and all are folded away.
    matrices = re.findall(
        r"<details( open)?>\n<summary>cnn, [^<]+</summary>\n<figure "
        r"class=\"wide\" id=\"confusion-",
        text,
    )
    assert matrices == [""] * 6
    assert "take remedy-0" in text.split("<nav")[0]


def test_what_was_trained_stands_with_the_provenance(text):
    section = text.split('<h2 id="provenance">')[1].split("</section>")[0]
    assert "Here 0.76 for common and 3.80 for reduced classes" in section
    assert "The reference study&#39;s CNN-token hybrid" in section


def test_every_class_has_precision_recall_and_f1_in_a_table_that_is_folded(text):
    folded = text.split("<summary>Precision, recall and F1 of every class")[1]
    tables = folded.split("</details>")[0]
    assert tables.count("<table") == 2
    assert '<th scope="colgroup" colspan="3">weighted</th>' in tables
    assert '<th scope="row">cat *</th>' in tables


def of_the_record(study, drawn):
    """These figures, but those that show what `study.json` says drawn for a study."""
    return dataclasses.replace(
        drawn,
        overview=score_overview(study),
        changes=changes(study),
        ranking=ranking_figures(study.record),
        tradeoff=tradeoff(study.record),
        class_changes=class_changes(study.record),
    )


def test_a_study_of_an_earlier_version_has_a_page_without_what_is_newer(study, drawn):
    cells = tuple(
        c.model_copy(
            update={
                "per_class_f1": {},
                "scores": {k: v for k, v in c.scores.items() if k != "reduced_f1"},
            }
        )
        for c in study.record.cells
    )
    absent = {"cells": cells, "rankings": (), "baselines": ()}
    old = dataclasses.replace(study, record=study.record.model_copy(update=absent))
    html = page(old, of_the_record(old, drawn))
    assert "Reduced classes&#39; F1" not in html
    assert "F1 of every class" not in html
    assert 'id="remedies"' not in html
    assert "without looking at an image" not in html


def test_a_page_on_data_as_they_come_speaks_of_no_reduced_class(own, own_drawn):
    html = page(own, own_drawn)
    assert "Rare classes: cat, deer, dog; the balanced rows" in html
    assert "reduced class" not in html.lower()


def test_a_page_on_unequal_data_without_a_rare_class_has_remedies(mild, own_drawn):
    html = page(mild, of_the_record(mild, own_drawn))
    assert 'id="remedies"' in html
    assert "rarest against most common classes" in html


def ranking_table(study, rankings, drawn):
    """The ranking table of a page whose record has these rankings."""
    record = study.record.model_copy(update={"rankings": tuple(rankings)})
    text = page(dataclasses.replace(study, record=record), drawn)
    return text.split('aria-label="Ranking table"')[1].split("</table>")[0]


def test_the_ranking_table_is_headed_by_the_classes_it_measures(many, drawn):
    (ranking,) = many.record.rankings
    tail = ranking.model_copy(update={"sides": ("tail", "head")})
    for rankings, few, much in (
        ([ranking], "Reduced", "Other"),
        ([tail], "Tail", "Head"),
        ([ranking, tail], "Smaller", "Larger"),
    ):
        table = ranking_table(many, rankings, drawn)
        assert f">{few} classes&rsquo; recall</th>" in table
        assert f">{much} classes&rsquo; recall</th>" in table
        assert f">Gap closed, {few.lower()} recall</th>" in table
        assert not re.search(r"\brare\b", table, re.IGNORECASE)


def test_an_undecided_gap_has_no_ends(many, drawn):
    (ranking,) = many.record.rankings

    def ends(**gaps):
        rows = [ranking.remedies[0].model_copy(update=gaps), *ranking.remedies[1:]]
        changed = ranking.model_copy(update={"remedies": tuple(rows)})
        table = ranking_table(many, [changed], drawn)
        return [table.count(f"<td>{share}&nbsp;%</td>") for share in (0, 100)]

    known = GapClosed(gap=0.1, value=0.4, low=0.3, high=0.5)
    undecided = GapClosed(gap=0.1, value=None, low=None, high=None)
    nothing = {"gap_f1": undecided, "gap_rare": None}
    ranking = ranking.model_copy(
        update={
            "remedies": tuple(r.model_copy(update=nothing) for r in ranking.remedies)
        }
    )
    assert ends() == [0, 0]
    assert ends(gap_f1=known) == ends(gap_rare=known) == [1, 1]
    assert ends(gap_f1=known, gap_rare=known) == [2, 2]


def test_the_parts_of_a_drawing_are_told_to_be_parts(text):
    for part in (1, 2):
        assert f'aria-label="Part {part} of 2; together: 20 test images of 10' in text
