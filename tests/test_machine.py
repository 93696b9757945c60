"""Which processor it is, and what a study may take of a machine: what Linux tells."""

import os
from pathlib import Path

import pytest

from tessera import machine

# Two processors that a cloud rents under one name, and one of ARM, which has none.
OLD = "processor : 0\nmodel name : AMD EPYC\nflags : fpu fma avx avx2 sha_ni\n"
NEW = OLD.replace("avx2", "avx2 avx512f avx512_bf16")
ARM = "processor : 0\nFeatures : fp asimd bf16\n"


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A function that makes Linux tell of another processor, or of none."""

    def tell(text: str | None) -> None:
        machine._told.cache_clear()
        monkeypatch.setattr(machine, "CPUINFO", tmp_path / "cpuinfo")
        if text is not None:
            (tmp_path / "cpuinfo").write_text(text)

    yield tell
    machine._told.cache_clear()


def test_two_processors_of_one_name_are_told_apart_by_their_instructions(told) -> None:
    told(OLD)
    assert machine.processor() == "AMD EPYC (AVX2)"
    told(NEW)
    assert machine.processor() == "AMD EPYC (AVX-512 BF16)"


def test_a_processor_of_which_nothing_is_told_has_the_systems_name(
    told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.processor", lambda: "")
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    told(None)
    assert machine.processor() == "arm64"
    told(ARM)
    assert machine.processor() == "arm64 (NEON BF16)"


@pytest.mark.parametrize(
    ("text", "lacks"), [(OLD, True), (NEW, False), (ARM, False), (None, False)]
)
def test_it_lacks_instructions_for_16_bits_only_where_that_is_known(
    told, text: str | None, lacks: bool
) -> None:
    told(text)
    assert machine.lacks_16_bits() == lacks


def test_its_cores_are_those_that_this_process_may_use() -> None:
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert machine.cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)


def test_its_memory_is_what_a_container_may_have_where_that_is_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit, none = tmp_path / "memory.max", tmp_path / "missing"
    monkeypatch.setattr(machine, "LIMITS", (none,))
    physical = machine.memory()
    assert physical == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    monkeypatch.setattr(machine, "LIMITS", (limit, none))
    for text, found in [("max\n", physical), ("1073741824\n", 2**30)]:
        limit.write_text(text)
        assert machine.memory() == found


def test_programs_of_other_processors_and_other_cores_are_kept_apart(
    told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TESSERA_CACHE", str(tmp_path))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    found = []
    for text in (OLD, NEW):
        told(text)
        found.append(machine.programs_folder())
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0}, raising=False)
    found.append(machine.programs_folder())
    assert len(set(found)) == 3
    assert {place.parent for place in found} == {tmp_path / "programs"}
