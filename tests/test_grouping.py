"""A rule names the group of an image by its folders or by its path."""

import pytest
from pydantic import TypeAdapter, ValidationError

from tessera.grouping import BY_FOLDER, Grouping, group_of

RULE = TypeAdapter(Grouping)


def test_by_folder_a_group_is_the_folders_below_the_class() -> None:
    assert group_of(("film-3",), "cat/film-3/1.png", BY_FOLDER) == "film-3"
    assert group_of(("a", "b"), "cat/a/b/1.png", BY_FOLDER) == "a/b"
    assert group_of((), "cat/1.png", BY_FOLDER) == ""


@pytest.mark.parametrize(
    ("rule", "group"),
    [
        (r"patient(\d+)", "12"),
        (r"patient\d+", "patient12"),
        (r"^cat/(\w+?)_", "patient12"),
        (r"dog", ""),
        (r"cat(x)?", ""),
    ],
)
def test_by_expression_a_group_is_what_the_first_parentheses_match_or_all(
    rule: str, group: str
) -> None:
    assert group_of((), "cat/patient12_3.png", rule) == group


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("(patient", "or a regular expression such as"),
        ("", "not every path matches"),
        (r"(\d*)", "not every path matches"),
        (r"a{99999999999}", "not one with the repetition number is too large"),
    ],
)
def test_what_is_no_rule_or_parts_nothing_is_refused(rule: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        RULE.validate_python(rule)
    assert RULE.validate_python(BY_FOLDER) == BY_FOLDER
