"""What `tessera remedies` lists."""

import io
import re

import pytest
from rich.console import Console

from tessera.catalogue import catalogue
from tessera.cli import remedies
from tessera.settings import ExperimentError


def test_the_list_names_every_remedy_and_what_it_changes() -> None:
    text = io.StringIO()
    remedies.show(Console(file=text, width=300))
    for name in catalogue():
        assert name in text.getvalue()
    assert "Cao et al. 2019" in text.getvalue()


def test_numbers_stand_beside_the_parts_they_belong_to() -> None:
    assert "deferred: 0.8" in remedies.describe(catalogue()["ldam-drw"])
    assert remedies.describe(catalogue()["square-root-sampling"]).endswith("power 0.5")
    assert "sharpness: 0.05" in remedies.describe(catalogue()["sam"])


def test_some_are_shown_with_the_parts_that_an_experiment_file_has() -> None:
    text = io.StringIO()
    remedies.show(Console(file=text, width=40), ["ldam-drw", "tau-normalisation"])
    shown = text.getvalue()
    assert "[regimes.remedy]\ndeferred = 0.8\n" in shown
    assert '[regimes.remedy.loss]\nkind = "ldam"\nmax_margin = 0.5\n' in shown
    assert "# tau = (none)" in shown
    assert "oversampling" not in shown


def test_names_are_given_as_to_the_option_of_a_study() -> None:
    text = io.StringIO()
    remedies.show(Console(file=text, width=80), ["sam,crt", "lws"])
    assert re.findall(r"# (\w+), of a regime", text.getvalue()) == ["sam", "crt", "lws"]
    remedies.show(Console(file=text, width=80), ["all"])
    assert text.getvalue().count(", of a regime") == 3 + len(catalogue())


def test_a_name_that_is_none_is_refused_before_anything_is_shown() -> None:
    text = io.StringIO()
    with pytest.raises(ExperimentError, match=r"NAME: expected one of plain, .* 'x'"):
        remedies.show(Console(file=text), ["sam", "x"])
    assert not text.getvalue()
