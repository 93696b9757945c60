"""A pickle of plain values and number arrays into Python, without running its code.

A pickle can name any function and have it called. This reader resolves the few names
that NumPy's arrays need to stand-ins of its own, and no other name to anything.
"""

import codecs
import io
import pickle
import pickletools
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_STEPS = 1_000_000
"""Instructions of a pickle that are followed; the official batches have 60,000."""


class RefusedPickle(Exception):
    """The pickle names code, or holds what no plain array needs."""


@dataclass
class _Dtype:
    """Stand-in for `numpy.dtype`: remembers what it was asked for."""

    name: str | bytes
    align: object = None
    copy: object = None

    def __setstate__(self, state: object) -> None:
        """Byte order and flags: of no matter for single bytes."""

    @property
    def is_byte(self) -> bool:
        return self.name in ("u1", b"u1")


@dataclass
class _Array:
    """Stand-in for `numpy.ndarray`: remembers its shape and bytes."""

    state: tuple[Any, ...] = field(default=())

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.state = state


def _reconstruct(kind: object, shape: object, code: object) -> _Array:
    """Stand-in for `numpy.core.multiarray._reconstruct`."""
    return _Array()


def _encode(text: str, encoding: str) -> bytes:
    """Stand-in for `_codecs.encode`: how newer Pythons write bytes for older ones."""
    if codecs.lookup(encoding).name != "iso8859-1":
        raise RefusedPickle(f"expected bytes as latin-1. Received: {encoding!r}.")
    return text.encode("latin-1")


_STAND_INS: dict[tuple[str, str], Any] = {
    ("numpy", "dtype"): _Dtype,
    ("numpy", "ndarray"): _Array,
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("_codecs", "encode"): _encode,
}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _STAND_INS[module, name]
        except KeyError:
            raise RefusedPickle(
                f"it names {module}.{name}, which no array of pixels needs; the file "
                "is damaged or hostile, and nothing of it was run"
            ) from None


def read(content: bytes) -> dict[str, Any]:
    """Read a pickled dictionary of plain values and byte arrays.

    Args:
        content: The whole file; keys may be text or bytes, as Python 2 wrote them.

    Returns:
        The dictionary with text keys; arrays as uint8 of their shape.

    Raises:
        RefusedPickle: It names any code, is damaged, or holds another kind of array.
    """
    try:
        _check_length(content)
        value = _Reader(io.BytesIO(content), encoding="bytes").load()
        if not isinstance(value, dict):
            kind = type(value).__name__
            raise RefusedPickle(f"expected a dictionary, received {kind}")
        return {_text(key): _value(item) for key, item in value.items()}
    except RefusedPickle:
        raise
    # A damaged pickle fails in as many ways as there are opcodes.
    except Exception as error:
        raise RefusedPickle(f"a damaged pickle ({error})") from error


def _check_length(content: bytes) -> None:
    """One byte can make an object of sixty: their number is what must be bounded."""
    for step, _ in enumerate(pickletools.genops(content)):
        if step >= MOST_STEPS:
            raise RefusedPickle(f"more than {MOST_STEPS:,} instructions")


def _text(key: object) -> str:
    return key.decode("latin-1") if isinstance(key, bytes) else str(key)


def _value(item: object) -> object:
    return _pixels(item) if isinstance(item, _Array) else item


def _pixels(array: _Array) -> NDArray[np.uint8]:
    match array.state:
        case (_, tuple(shape), _Dtype(is_byte=True), fortran, bytes(content)):
            if len(content) == np.prod(shape, dtype=object):
                flat = np.frombuffer(content, dtype=np.uint8)
                return flat.reshape(shape, order="F" if fortran else "C")
    raise RefusedPickle("expected arrays of bytes (uint8) with their whole content")
