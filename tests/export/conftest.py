"""One trained-looking run, and its data."""

import pytest
import toy_run

from tessera import trained
from tessera.data.dataset import Dataset
from tessera.record import RunFolder
from tessera.trained import Trained


@pytest.fixture(scope="session")
def model(toy: RunFolder) -> Trained:
    return trained.load(toy.path)


@pytest.fixture(scope="session")
def dataset() -> Dataset:
    return toy_run.digits()
