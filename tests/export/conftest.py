"""The data of the trained-looking run."""

import pytest
import toy_run

from tessera.data.dataset import Dataset
from tessera.export import parity


@pytest.fixture(scope="session")
def dataset() -> Dataset:
    return toy_run.digits()


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare forty images: enough to find one wrong value, and to see what follows."""
    monkeypatch.setattr(parity, "IMAGES", 40)
