"""Pickled arrays are read; nothing a pickle names is ever called."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from tessera.data import pickles

PIXELS = np.arange(24, dtype=np.uint8).reshape(2, 12)


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4])
def test_arrays_and_plain_values_are_read_as_pickle_reads_them(protocol) -> None:
    value = {b"data": PIXELS, b"labels": [3, 1], b"names": [b"cat", "dog"]}
    found = pickles.read(pickle.dumps(value, protocol=protocol))
    np.testing.assert_array_equal(found["data"], PIXELS)
    assert found["data"].dtype == np.uint8
    assert (found["labels"], found["names"]) == ([3, 1], [b"cat", "dog"])


def test_what_python_2_wrote_is_read() -> None:
    # {'labels': [6], 'data': array([[1, 2]], dtype=uint8)} in Python 2's protocol 2.
    content = (
        b"\x80\x02}q\x00(U\x06labels]K\x06aU\x04datacnumpy.core.multiarray\n"
        b"_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01K\x01K\x02\x86"
        b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xff"
        b"J\xff\xff\xff\xffK\x00tb\x89U\x02\x01\x02tbu."
    )
    found = pickles.read(content)
    assert found["labels"] == [6]
    assert found["data"].tolist() == [[1, 2]]


def test_columns_first_arrays_keep_their_order() -> None:
    array = np.asfortranarray(PIXELS)
    found = pickles.read(pickle.dumps({"data": array}, protocol=2))
    np.testing.assert_array_equal(found["data"], PIXELS)


class Hostile:
    """Its pickle writes a file when it is loaded in the usual way."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self):
        return os.system, (f"echo > {self.canary}",)


@pytest.mark.parametrize("where", ["alone", "value", "key", "in a list", "in an array"])
def test_a_pickle_that_runs_code_is_refused_before_it_does(tmp_path, where) -> None:
    canary = tmp_path / "canary"
    hostile = Hostile(canary)
    content = {
        "alone": hostile,
        "value": {"data": hostile},
        "key": {hostile: 1},
        "in a list": {"labels": [1, hostile]},
        "in an array": {"data": np.array([hostile], dtype=object)},
    }[where]
    written = pickle.dumps(content, protocol=2)
    with pytest.raises(pickles.RefusedPickle, match=r"system.*nothing of it was run"):
        pickles.read(written)
    assert not canary.exists()
    pickle.loads(written)
    assert canary.exists(), "the canary would have sung"


@pytest.mark.parametrize(
    "name", ["builtins eval", "numpy load", "numpy.core.multiarray fromfile", "os open"]
)
@pytest.mark.parametrize("opcode", [b"c%s\n%s\n.", b"(i%s\n%s\n."])
def test_no_other_name_is_resolved(name, opcode) -> None:
    module, function = name.encode().split()
    with pytest.raises(pickles.RefusedPickle, match=name.replace(" ", ".")):
        pickles.read(opcode % (module, function))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"data": np.zeros(3)}, "bytes"),
        ({"data": np.array([None])}, "bytes"),
        ([1, 2], "dictionary"),
    ],
)
def test_other_content_is_refused(value, message) -> None:
    with pytest.raises(pickles.RefusedPickle, match=message):
        pickles.read(pickle.dumps(value, protocol=2))


@pytest.mark.parametrize("content", [b"", b"\x80\x02}", b"no pickle", b"\x80\x7f."])
def test_a_damaged_pickle_is_refused(content) -> None:
    with pytest.raises(pickles.RefusedPickle, match="damaged"):
        pickles.read(content)


def test_an_array_that_promises_more_bytes_than_it_has_is_refused() -> None:
    written = pickle.dumps({"data": PIXELS}, protocol=2)
    assert written.count(b"K\x02K\x0c\x86") == 1
    with pytest.raises(pickles.RefusedPickle, match="whole content"):
        pickles.read(written.replace(b"K\x02K\x0c\x86", b"K\x02K\xff\x86"))


def test_a_pickle_of_endless_small_objects_is_refused_before_they_are_made() -> None:
    """Sixty bytes of memory for each byte: 64 MB of them would take 4 GB."""
    content = b"]" * (pickles.MOST_STEPS + 2)
    with pytest.raises(pickles.RefusedPickle, match="more than 1,000,000 instr"):
        pickles.read(content)


@pytest.mark.parametrize(
    "shape", [b"J\xff\xff\xff\xffJ\xe8\xff\xff\xff", b"G@8" + b"\0" * 6]
)
def test_a_shape_that_is_none_is_refused(shape) -> None:
    written = pickle.dumps({"data": PIXELS}, protocol=2)
    broken = written.replace(
        b"K\x02K\x0c\x86", shape + (b"\x86" if shape[:1] == b"J" else b"\x85")
    )
    assert broken != written
    with pytest.raises(pickles.RefusedPickle):
        pickles.read(broken)
