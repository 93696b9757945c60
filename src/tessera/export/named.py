"""The formats' names and their files; knowing them needs no framework."""

from typing import Literal, get_args

from tessera.export.errors import ExportError

Format = Literal["keras", "onnx", "onnx-int8", "litert", "saved-model"]
FORMATS: tuple[Format, ...] = get_args(Format)

FILES: dict[Format, str] = {
    "keras": "model.keras",
    "onnx": "model.onnx",
    "onnx-int8": "model-int8.onnx",
    "litert": "model.tflite",
    "saved-model": "saved_model",
}


def named(form: str) -> Format:
    """The format of that name.

    Raises:
        ExportError: There is none.
    """
    for known in FORMATS:
        if known == form:
            return known
    raise ExportError(
        f"export format: expected one of {', '.join(FORMATS)}. Received: {form!r}."
    )
