"""Templates escape what they are given and miss nothing in silence."""

import pytest
from jinja2 import Environment, UndefinedError

from tessera.report.templates import render, source


def test_values_are_escaped():
    row = {"image": "", "said_map": "", "true_map": "", "difference": ""}
    rows = [row | {"said": "<b>", "true": "a & b"}]
    text = render("contrasts.svg", rows=rows, ink="#1", quiet="#2", line="#3")
    assert "&lt;b&gt;" in text and "a &amp; b" in text and "<b>" not in text


def test_a_value_that_is_not_given_is_an_error():
    with pytest.raises(UndefinedError):
        render("contrasts.svg", ink="#1", quiet="#2", line="#3")


def test_a_template_is_compiled_once_however_often_it_is_filled_in(monkeypatch):
    compiled, compile_ = [], Environment.compile

    def noting(self, source, name=None, *more, **options):
        compiled.append(name)
        return compile_(self, source, name, *more, **options)

    monkeypatch.setattr(Environment, "compile", noting)
    filters = {"once": lambda: ""}
    name = "contrasts.svg"
    for _ in range(2):
        render(name, filters=dict(filters), rows=(), ink="", quiet="", line="")
    assert compiled == [name]


def test_a_file_of_the_package_is_read_whole():
    assert source("style.css").rstrip().endswith("}")
