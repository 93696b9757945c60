"""What tests of several parts share: runs that were never trained."""

import signal
from pathlib import Path

import pytest
import toy_run
from hypothesis import settings

from tessera import machine, runtime, trained
from tessera.ensembled import Ensemble
from tessera.experiment import Cnn, Folder, Hybrid
from tessera.record import RunFolder
from tessera.trained import Trained

# Before a test imports it: so it takes half the time.
runtime.prepare()
runtime.load_backend(alone=True)

# A loaded machine is no counterexample, and the same tests find the same everywhere.
settings.register_profile("tessera", deadline=None, derandomize=True, database=None)
settings.load_profile("tessera")

# What a shell starts in its background ignores Ctrl-C, and hands that on: here it would
# be the commands that tests interrupt.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


EACH = 4 * 2**30
"""Bytes of memory that a process of tests may take, with those that it starts."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """How many processes run the tests: one for each core, as far as memory allows."""
    return max(1, min(machine.cores(), machine.memory() // EACH))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with the long files, so that no process waits for the last of another."""
    long = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in long)


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """The reference study's hybrid on digits of 16 x 16 pixels; never changed."""
    folder = RunFolder(tmp_path_factory.mktemp("toy") / "seed-0")
    toy_run.write_run(folder, toy_run.experiment([Hybrid()]).runs()[0])
    return folder


@pytest.fixture(scope="session")
def model(toy: RunFolder) -> Trained:
    return trained.load(toy.path)


@pytest.fixture(scope="session")
def two_seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of that hybrid with two seeds; never changed."""
    asked = toy_run.experiment([Hybrid()], seeds=(0, 1))
    return toy_run.write_study(tmp_path_factory.mktemp("two"), asked)


@pytest.fixture(scope="session")
def in_folds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CNN in two folds of 24 pictures, with two seeds; never changed."""
    sizes = {"blue": 12, "green": 8, "red": 4}
    images = toy_run.write_images(tmp_path_factory.mktemp("images"), sizes)
    data = Folder(path=str(images), image_size=toy_run.SIZE, folds=2)
    asked = toy_run.experiment([Cnn()], seeds=(0, 1))
    asked = asked.model_copy(update={"data": data})
    return toy_run.write_folds(tmp_path_factory.mktemp("folds"), asked)


@pytest.fixture(scope="session")
def pair(two_seeds: Path) -> Ensemble:
    """Its two runs, asked together."""
    found = trained.load(two_seeds, ensemble=True)
    assert isinstance(found, Ensemble)
    return found
