import pytest

from tessera.report.committed.marked import replace

BEGIN, END = "<!-- part:begin -->", "<!-- part:end -->"


def test_only_what_stands_between_the_markers_changes(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"above\n{BEGIN}\nstale\n{END}\nbelow\n")
    replace(page, "part", "new\n")
    assert page.read_text() == f"above\n{BEGIN}\nnew\n{END}\nbelow\n"
    replace(page, "part", "new\n")
    assert page.read_text() == f"above\n{BEGIN}\nnew\n{END}\nbelow\n"


@pytest.mark.parametrize("text", ["", BEGIN, f"{END}\n{BEGIN}", f"{BEGIN}{BEGIN}{END}"])
def test_missing_or_doubled_markers_are_an_error(tmp_path, text):
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(ValueError, match="expected one line"):
        replace(page, "part", "new\n")
    assert page.read_text() == text
