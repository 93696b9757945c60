"""The cache gives back what was put in, or says that it has nothing."""

import json
from pathlib import Path

import numpy as np
import pytest

from tessera.data import cache
from tessera.data.dataset import DataError

ARRAY = np.arange(12, dtype=np.uint8).reshape(3, 4)


def stored_array(folder: Path) -> Path:
    return next((folder / "arrays").iterdir())


def test_arrays_and_facts_come_back_memory_mapped() -> None:
    cache.store("key", {"images": ARRAY}, {"name": "x"})
    entry = cache.find("key")
    np.testing.assert_array_equal(entry.arrays["images"], ARRAY)
    assert isinstance(entry.arrays["images"], np.memmap)
    assert not entry.arrays["images"].flags.writeable
    assert entry.facts == {"name": "x"}


def test_an_unknown_key_has_nothing() -> None:
    assert cache.find("never") is None


def test_equal_arrays_are_kept_once(private_cache) -> None:
    cache.store("one", {"images": ARRAY}, {})
    cache.store("two", {"images": ARRAY.copy()}, {})
    assert len(list((private_cache / "arrays").iterdir())) == 1


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", None])
def test_a_damaged_array_counts_as_nothing_and_is_mended(
    private_cache, content
) -> None:
    cache.store("key", {"images": ARRAY}, {})
    file = stored_array(private_cache)
    file.write_bytes(file.read_bytes()[:-1] if content is None else content)
    assert cache.find("key") is None
    cache.store("key", {"images": ARRAY}, {})
    np.testing.assert_array_equal(cache.find("key").arrays["images"], ARRAY)


@pytest.mark.parametrize("content", ["{", "[]", "null", '{"arrays": [], "facts": 1}'])
def test_a_damaged_index_counts_as_nothing(private_cache, content) -> None:
    cache.store("key", {}, {})
    (private_cache / "index" / "key.json").write_text(content)
    assert cache.find("key") is None


@pytest.mark.parametrize("part", ["arrays", "facts"])
@pytest.mark.parametrize("content", [None, [], {}, {"images": "other"}])
def test_an_index_in_which_anything_was_changed_counts_as_nothing(
    private_cache, part, content
) -> None:
    cache.store("key", {"images": ARRAY}, {"withheld": []})
    file = private_cache / "index" / "key.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {part: content}))
    assert cache.find("key") is None


def test_keys_depend_on_every_fact() -> None:
    assert len({cache.key(1, "a"), cache.key(1, "b"), cache.key(2, "a")}) == 3


def test_a_cache_that_cannot_be_written_is_an_error_that_says_what_to_set(
    tmp_path, monkeypatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("TESSERA_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(DataError, match=r"[^.]\. Set TESSERA_CACHE") as refused:
        cache.store("key", {}, {})
    assert "give the same command again" not in str(refused.value)
