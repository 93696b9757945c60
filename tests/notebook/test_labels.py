"""Labels worth checking show themselves, not more than one can read."""

from tessera.doubts import Doubt, Doubts
from tessera.notebook.labels import MOST, DoubtfulLabels

ROW = Doubt("<b>/1.png", "cat", 0.125, "deer", 0.75)


def labels(count: int) -> DoubtfulLabels:
    return DoubtfulLabels(Doubts((ROW,) * count, 90, "By all.", "All were tested."))


def test_a_line_for_each_and_what_they_are_worth() -> None:
    first, because, summary = repr(labels(1)).splitlines()
    assert first == "<b>/1.png: cat 12.5%, or deer 75.0%"
    assert because == "By all." and summary.startswith("1 label of 90 images to look")
    assert summary.endswith("All were tested.")
    assert labels(1).rows == (ROW,)


def test_names_of_files_are_text_on_the_page() -> None:
    page = labels(1)._repr_html_()
    assert "&lt;b&gt;/1.png" in page and "<b>/1" not in page
    assert "By all." in page


def test_of_very_many_the_first_are_shown_and_the_rest_is_counted() -> None:
    many = labels(MOST + 1)
    assert f"The first {MOST} of {MOST + 1}." in repr(many)
    assert many._repr_html_().count("<tr>") == 1 + MOST
    assert "The first" not in repr(labels(MOST))
