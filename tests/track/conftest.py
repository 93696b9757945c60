"""A study of two toy runs with histories, a picture each, and no training."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import toy_run

from tessera import files, history
from tessera.experiment import Cnn
from tessera.record import RunFolder
from tessera.track import mlflow

FIGURE = """<svg xmlns="http://www.w3.org/2000/svg" width="72pt" height="36pt"
viewBox="0 0 72 36"><rect width="20" height="36" fill="red"/>
<text x="40" y="24" style="font-family: 'DejaVu Sans'; font-size: 20px">M</text>
</svg>"""

HISTORY = tuple(
    {"epoch": e, "loss": 2.0 / e, "val_accuracy": 0.1 * e} for e in (1, 2, 3)
)


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tracked") / "digits"
    toy_run.write_study(path, toy_run.experiment([Cnn()], seeds=(0, 1)))
    files.write_text(path / "figures" / "scores.svg", FIGURE)
    images = toy_run.digits().test.images[:1]
    for record in path.glob("runs/*/*/record.json"):
        folder = RunFolder(record.parent)
        history.write(folder, HISTORY)
        files.write_arrays(
            folder.heatmaps,
            images=images,
            raw=np.ones((1, 4, 4), np.float32),
            labels=np.array([2]),
            predicted=np.array([7]),
            indices=np.array([0]),
        )
        folder.model.write_bytes(b"a model")
    return path


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of MLflow that has nothing but its tables, which take it seconds."""
    from mlflow.tracking import MlflowClient

    folder = tmp_path_factory.mktemp("store")
    MlflowClient(tracking_uri=mlflow.address(folder)).search_experiments()
    return folder / mlflow.DATABASE


@pytest.fixture
def out(empty_store: Path, tmp_path: Path) -> Path:
    """A folder with such a store."""
    shutil.copy(empty_store, tmp_path)
    return tmp_path
