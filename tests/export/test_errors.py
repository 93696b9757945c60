"""A missing package is named together with the way to get it."""

from tessera.export import errors


def test_a_missing_package_is_named_with_the_extra_that_brings_it() -> None:
    message = str(errors.needs_extra("onnxruntime"))
    assert "onnxruntime" in message and "'.[export]'" in message
