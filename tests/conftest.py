"""What tests of several parts share: runs that were never trained."""

import hypothesis
import pytest
import toy_run

from tessera.experiment import Hybrid
from tessera.record import RunFolder

# How long an example takes says something of the machine, and nothing of the promise.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run of the study's hybrid on digits of 16 x 16 pixels; never changed."""
    folder = RunFolder(tmp_path_factory.mktemp("toy") / "seed-0")
    toy_run.write_run(folder, toy_run.experiment([Hybrid()]).runs()[0])
    return folder
