"""This machine: its processor, what a study may take of it, and where it keeps things.

Clouds and clusters give processors of several generations one name. Their vectors are
of different lengths, so that sums are cut elsewhere and their last bits differ.
"""

import hashlib
import os
import platform
import sys
from functools import cache
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
"""Where Linux tells of the processor; other systems have no such file."""

WIDEST = {
    "amx_bf16": "AMX BF16",
    "avx512_bf16": "AVX-512 BF16",
    "avx512f": "AVX-512",
    "avx2": "AVX2",
    "avx": "AVX",
    "svebf16": "SVE BF16",
    "sve": "SVE",
    "bf16": "NEON BF16",
    "asimd": "NEON",
}
"""Linux's names of instruction sets, each before those that it includes: x86, ARM."""

PRODUCTS_OF_16_BITS = {"amx_bf16", "avx512_bf16", "avx_ne_convert", "svebf16", "bf16"}
"""Any of them multiplies numbers of bfloat16, or turns to them and back."""

LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
"""Where a container finds how much memory it may have: cgroups 2 and 1."""

MEMORY_UNKNOWN = 2 * 2**30
"""Bytes taken for all there are where the system does not tell."""


def processor() -> str:
    """Its name, with its widest instructions where they are known: `Xeon (AVX2)`."""
    name = _told("model name") or platform.processor() or platform.machine()
    widest = next((text for flag, text in WIDEST.items() if flag in flags()), None)
    return f"{name} ({widest})" if widest else name


def flags() -> frozenset[str]:
    """Linux's names of all its instructions; empty where they are not known."""
    return frozenset((_told("flags") or _told("Features")).split())


def lacks_16_bits() -> bool:
    """Whether it is known to have no instructions for bfloat16."""
    return bool(flags()) and not flags() & PRODUCTS_OF_16_BITS


def cores() -> int:
    """Cores that this process may use: of its affinity, and of a container's share."""
    import joblib  # counts with cgroups' quotas, which `os` does not

    return int(joblib.cpu_count())


def memory() -> int:
    """Bytes of memory that there are, or that a container may have of them."""
    try:
        physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError):
        physical = MEMORY_UNKNOWN
    return int(min(physical, *map(_limit, LIMITS)))


def _limit(path: Path) -> float:
    try:
        return float(path.read_text(encoding="ascii"))
    except (OSError, ValueError):  # no container, or one whose limit reads `max`
        return float("inf")


@cache
def _told(field: str) -> str:
    """The first core's line of a name; "" where there is none."""
    try:
        lines = CPUINFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    pairs = (line.partition(":") for line in lines)
    return next((text.strip() for key, _, text in pairs if key.strip() == field), "")


def cache_folder() -> Path:
    """The user's cache folder: `TESSERA_CACHE`, or the platform's usual place."""
    if chosen := os.environ.get("TESSERA_CACHE"):
        return Path(chosen).expanduser()
    home = Path.home()
    match sys.platform:
        case "win32":
            base = os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local"
        case "darwin":
            base = home / "Library" / "Caches"
        case _:
            base = os.environ.get("XDG_CACHE_HOME") or home / ".cache"
    return Path(base) / "tessera"


def programs_folder() -> Path:
    """Where compiled programs may be kept for this machine's next processes.

    They may not run on another processor, and a compiler cuts work for the cores.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    usable = len(affinity(0)) if affinity else os.cpu_count()
    facts = "\n".join([processor(), *sorted(flags()), str(usable)])
    mark = hashlib.sha256(facts.encode()).hexdigest()[:16]
    return cache_folder() / "programs" / mark
