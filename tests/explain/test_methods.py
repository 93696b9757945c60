"""Methods are frozen values, found by their names."""

import dataclasses

import pytest

from tessera.explain import methods
from tessera.explain.graph import ExplainError


@pytest.mark.parametrize("kind", methods.METHODS, ids=lambda kind: kind.name)
def test_a_method_is_found_by_its_name(kind):
    assert methods.by_name(kind.name) == kind()


@pytest.mark.parametrize("kind", methods.METHODS, ids=lambda kind: kind.name)
def test_a_method_names_its_paper(kind):
    assert "arXiv:" in kind.__doc__ or "IEEE" in kind.__doc__


def test_names_and_labels_are_distinct():
    assert len({kind.name for kind in methods.METHODS}) == len(methods.METHODS)
    assert len({kind.label for kind in methods.METHODS}) == len(methods.METHODS)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ExplainError, match=r"gradcam, hirescam.*Received: 'cam'"):
        methods.by_name("cam")


def test_what_knows_no_class_says_so_in_its_label():
    for kind in methods.METHODS:
        agnostic = "class-agnostic" in kind.label
        assert methods.class_specific(kind()) is not agnostic


def test_settings_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        methods.SmoothGrad().seed = 1


@pytest.mark.parametrize(
    "kind, options",
    [
        (methods.ScoreCam, {"channels": 0}),
        (methods.ScoreCam, {"channels": -1}),
        (methods.IntegratedGradients, {"steps": 0}),
        (methods.IntegratedGradients, {"steps": 2.5}),
        (methods.SmoothGrad, {"samples": 0}),
        (methods.SmoothGrad, {"noise": -0.1}),
        (methods.Occlusion, {"cells": 4.5}),
        (methods.Occlusion, {"window": 0}),
        (methods.Occlusion, {"window": float("nan")}),
    ],
)
def test_a_setting_that_would_draw_nothing_is_refused_by_its_name(kind, options):
    ((name, value),) = options.items()
    with pytest.raises(ExplainError, match=f"{name}: expected .*Received: {value}"):
        kind(**options)
