"""A proof runs short with every test, and whole, with its figures kept, when asked."""

import datetime
import json
import os
import platform
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tessera import runtime

RECORDS = Path(__file__).parent / "records"


def whole() -> bool:
    """`make prove` asks for the whole proofs."""
    return os.environ.get("TESSERA_PROVE") == "1"


@dataclass
class Proof:
    """How much to do, and where the figures go."""

    whole: bool
    began: float = field(default_factory=time.perf_counter)

    def size(self, *, short: int, whole: int) -> int:
        """How many trials: few with every test, all in a proof."""
        return whole if self.whole else short

    def record(self, name: str, promise: str, **figures: Any) -> None:
        """Print the figures; a whole proof keeps them in `records/`."""
        seconds = round(time.perf_counter() - self.began, 1)
        print(f"\n{promise} " + ", ".join(f"{k}: {v}" for k, v in figures.items()))
        if not self.whole:
            return
        environment = runtime.environment()
        content = {
            "promise": promise,
            "figures": figures,
            "seconds": seconds,
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "commit": environment.commit,
            "machine": f"{environment.device}, {environment.cores} cores, "
            f"Python {platform.python_version()}",
            "packages": environment.packages,
        }
        text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        (RECORDS / f"{name}.json").write_text(text, encoding="utf-8")


@pytest.fixture
def proof() -> Proof:
    return Proof(whole())


@pytest.fixture(autouse=True)
def private_cache(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """No proof sees what another one, or the user, has cached."""
    monkeypatch.setenv("TESSERA_CACHE", str(tmp_path_factory.mktemp("cache")))
    yield
