"""Shares are told in percent, and names cannot break Markdown."""

from tessera.export.words import between, escaped, percent, plain


def test_shares_are_told_in_percent() -> None:
    assert (percent(0.123), percent(1)) == ("12.3 %", "100.0 %")
    assert between((0.1, 0.25)) == "10.0 to 25.0 %"


def test_where_there_is_no_interval_that_is_said() -> None:
    assert between(None) == "none"


def test_a_class_name_cannot_break_a_table() -> None:
    assert escaped("a|b_<c>") == r"a\|b\_\<c\>"


def test_a_class_name_is_shown_letter_by_letter() -> None:
    # An entity, strikethrough and a formula, as pages that show Markdown read them.
    assert escaped("&amp; ~a~ $x$") == r"\&amp; \~a\~ \$x\$"


def test_what_a_card_escapes_reads_as_it_was_where_no_markdown_is_shown() -> None:
    assert plain(r"a\_b \<c\> d\e") == r"a_b <c> d\e"
    for name in (r"a\*b\\c", "salt & pepper", "`*_[]<>|#&~$"):
        assert plain(escaped(name)) == name
