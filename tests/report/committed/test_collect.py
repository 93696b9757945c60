import json
import tomllib

import pytest
from evaluation.checked import faithfulness
from unpainted import charts

from tessera import files
from tessera.experiment import Cnn, Experiment, Folder, Regime, Start, Training
from tessera.report.committed.collect import collect
from tessera.report.faithfulness import checks_of
from tessera.report.load import load

from ..conftest import recalls
from ..folders import write_study

BEGUN = Start(run="/home/someone/old/runs/cnn--plain-0123abcd/seed-3", sha256="0" * 64)
ONE = Experiment(
    data=Folder(path="/home/someone/photos"),
    models=(Cnn(start=BEGUN),),
    regimes=(Regime(name="balanced"),),
    seeds=(0,),
    training=Training(epochs=2),
)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = write_study(tmp_path_factory.mktemp("source"), ONE, recalls)
    for manifest in folder.glob("runs/*/*/manifest.json"):
        manifest.write_text(
            json.dumps({"recipe": "x", "indices": {"train": [1, 2, 3]}})
        )
        toml = manifest.with_name("experiment.toml")
        toml.write_text('[data]\nkind = "folder"\npath = "/home/someone/photos"\n')
        manifest.with_name("model.keras").write_bytes(b"weights")
    study = load(folder)
    run = study.folders["cnn", "balanced", 0]
    files.write_text(run.faithfulness, checked(study).model_dump_json())
    files.write_arrays(run.faithfulness_values, labels=[1, 2])
    return folder


def checked(study):
    return faithfulness(study.cells["cnn", "balanced"][0])


@pytest.fixture(scope="module")
def collected(source, tmp_path_factory):
    return collect(source, tmp_path_factory.mktemp("results") / "one")


@pytest.fixture(scope="module")
def otherwise(source, tmp_path_factory):
    """The same with pictures and without predictions."""
    place = tmp_path_factory.mktemp("results") / "one"
    with charts():
        return collect(source, place, images=True, predictions=False)


def names(folder):
    return {p.name for p in folder.rglob("*") if p.is_file()}


def test_records_predictions_tables_and_figures_are_kept(collected):
    kept = names(collected)
    assert {
        "study.json",
        "record.json",
        "experiment.toml",
        "history.csv",
        "predictions.npz",
        "manifest.json",
        "table.md",
        "report.html",
        "scores.svg",
    } <= kept


def test_weights_and_pictures_of_the_dataset_stay_behind(collected):
    kept = names(collected)
    assert "model.keras" not in kept
    assert "heatmaps.npz" not in kept
    assert not any(name.startswith("gradcam") for name in kept)
    for path in collected.rglob("*"):
        if path.suffix in (".svg", ".html"):
            assert "data:image" not in path.read_text(encoding="utf-8")


def test_places_on_this_machine_stay_behind(collected):
    for path in collected.rglob("*"):
        if path.suffix in (".json", ".toml", ".html", ".md"):
            assert "/home/" not in path.read_text(encoding="utf-8")
    toml = next(collected.glob("runs/*/*/experiment.toml"))
    assert tomllib.loads(toml.read_text())["data"]["path"] == "photos"
    (model,) = load(collected).record.experiment.models
    assert model.start.run == "runs/cnn--plain-0123abcd/seed-3"


def test_lists_of_images_are_left_to_the_recipe(collected):
    manifest = json.loads(next(collected.glob("runs/*/*/manifest.json")).read_text())
    assert manifest["recipe"] == "x"
    assert manifest["indices"].startswith("left out")


def test_pictures_are_kept_when_they_may_be(otherwise):
    assert {"heatmaps.npz", "gradcam-cnn--balanced.svg"} <= names(otherwise)


def test_collecting_again_changes_nothing(source, collected):
    before = {p: p.read_bytes() for p in collected.rglob("*") if p.is_file()}
    collect(source, collected)
    after = {p: p.read_bytes() for p in collected.rglob("*") if p.is_file()}
    assert after == before


def test_checks_of_the_explanations_are_kept_with_the_values_behind_them(
    source, collected
):
    assert checks_of(load(collected)) == (checked(load(source)),)
    (values,) = collected.rglob("faithfulness.npz")
    assert files.read_arrays(values)["labels"].tolist() == [1, 2]
    assert "faithfulness-controls-grad-cam-cnn--balanced.svg" in names(collected)


def test_a_large_study_may_leave_its_logits_behind(otherwise) -> None:
    kept = names(otherwise)
    assert "predictions.npz" not in kept
    assert {"record.json", "report.html", "study.json"} <= kept
