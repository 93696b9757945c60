"""The data of the trained-looking run."""

import pytest
import toy_run

from tessera.data.dataset import Dataset


@pytest.fixture(scope="session")
def dataset() -> Dataset:
    return toy_run.digits()
