"""A format is asked for by its name, and a wrong name is told before all else."""

import pytest

from tessera.export import named
from tessera.export.errors import ExportError


def test_every_format_has_a_file_of_its_own() -> None:
    assert set(named.FILES) == set(named.FORMATS)
    assert len(set(named.FILES.values())) == len(named.FORMATS)


@pytest.mark.parametrize("form", named.FORMATS)
def test_a_format_is_found_by_its_name(form: str) -> None:
    assert named.named(form) == form


@pytest.mark.parametrize("form", ["pickle", "ONNX", ""])
def test_another_name_is_answered_with_all_that_there_are(form: str) -> None:
    every = "keras, onnx, onnx-int8, litert, saved-model"
    with pytest.raises(
        ExportError, match=f"expected one of {every}. Received: '{form}'"
    ):
        named.named(form)
