"""Templates escape what they are given and miss nothing in silence."""

import pytest
from jinja2 import UndefinedError

from tessera.report.templates import render, source


def test_values_are_escaped():
    row = {"image": "", "said_map": "", "true_map": "", "difference": ""}
    rows = [row | {"said": "<b>", "true": "a & b"}]
    text = render("contrasts.svg", rows=rows, ink="#1", quiet="#2", line="#3")
    assert "&lt;b&gt;" in text and "a &amp; b" in text and "<b>" not in text


def test_a_value_that_is_not_given_is_an_error():
    with pytest.raises(UndefinedError):
        render("contrasts.svg", ink="#1", quiet="#2", line="#3")


def test_a_file_of_the_package_is_read_whole():
    assert source("style.css").rstrip().endswith("}")
