"""What was written is read back with MLflow's own client, from its SQLite store."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from tessera.track import mlflow
from tessera.track.runs import finished

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own, on import and use


@pytest.fixture(scope="module")
def client(study: Path, tmp_path_factory: pytest.TempPathFactory) -> MlflowClient:
    out = tmp_path_factory.mktemp("flow")
    mlflow.write(finished(study)[:1], out, experiment="digits")
    mlflow.write(finished(study), out, experiment="digits")  # adds the second alone
    assert (out / "mlflow.db").exists()
    return MlflowClient(tracking_uri=mlflow.address(out))


def runs(client: MlflowClient) -> list:
    number = client.get_experiment_by_name("digits").experiment_id
    return sorted(client.search_runs([number]), key=lambda run: run.info.run_name)


def test_each_run_is_there_once_and_finished(client: MlflowClient, study: Path) -> None:
    found = runs(client)
    names = [run.info.run_name for run in found]
    assert names == [run.name for run in finished(study)] and len(set(names)) == 2
    assert {run.info.status for run in found} == {"FINISHED"}


def test_what_a_command_had_begun_when_it_was_ended_is_not_left_beside_the_whole_run(
    study: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(mlflow, "_parameters", ended)
    with pytest.raises(KeyboardInterrupt):
        mlflow.write(finished(study), out, experiment="digits")
    monkeypatch.undo()
    client = MlflowClient(tracking_uri=mlflow.address(out))
    (begun,) = runs(client)
    mlflow.write(finished(study), out, experiment="digits")
    found = runs(client)
    assert {run.info.status for run in found} == {"FINISHED"}
    assert len(found) == 2 and begun.info.run_id not in [r.info.run_id for r in found]


def test_parameters_and_scores_are_the_folders(
    client: MlflowClient, study: Path
) -> None:
    for run, tracked in zip(runs(client), finished(study), strict=True):
        assert run.data.params == tracked.parameters()
        for name, value in tracked.scores().items():
            assert run.data.metrics[name] == pytest.approx(value)


def test_every_class_has_its_recall_whatever_its_name(study: Path, out: Path) -> None:
    (run, _) = finished(study)
    names = ("\u0915\u093f", "\u0915\u093e", "n" * 255, "n" * 254, ".", "a//b")
    classes = [
        c.model_copy(update={"name": name, "recall": k / 10})
        for k, (c, name) in enumerate(
            zip(run.record.scores.per_class, names, strict=False)
        )
    ]
    scores = run.record.scores.model_copy(update={"per_class": tuple(classes)})
    named = replace(run, record=run.record.model_copy(update={"scores": scores}))
    mlflow.write([named], out, experiment="digits")
    (read,) = runs(MlflowClient(tracking_uri=mlflow.address(out)))
    found = [v for k, v in read.data.metrics.items() if k.startswith("test/recall")]
    assert sorted(found) == [0, 0.1, 0.2, 0.3, 0.4, 0.5]


def test_the_history_has_every_epoch(client: MlflowClient) -> None:
    rows = client.get_metric_history(runs(client)[0].info.run_id, "epoch/loss")
    assert [(row.step, row.value) for row in rows] == [(1, 2), (2, 1), (3, 2 / 3)]


def test_artefacts_and_the_model_are_there(
    client: MlflowClient, study: Path, tmp_path: Path
) -> None:
    number = runs(client)[1].info.run_id
    listed = {item.path for item in client.list_artifacts(number)}
    assert {"experiment.toml", "record.json", "history.csv", "model"} <= listed
    model = client.download_artifacts(number, "model/model.keras", str(tmp_path))
    assert Path(model).read_bytes() == b"a model"
    heatmaps = client.list_artifacts(number, "heatmaps")
    assert [item.path for item in heatmaps] == ["heatmaps/000.png"]


def test_the_study_has_a_run_of_its_own_with_its_figures_and_it_stays_one(
    study: Path, out: Path
) -> None:
    for _ in range(2):
        mlflow.write_study(study, out)
    client = MlflowClient(tracking_uri=mlflow.address(out))
    (run,) = runs(client)
    assert (run.info.run_name, run.info.status) == ("study", "FINISHED")
    kept = client.download_artifacts(run.info.run_id, "figures/scores.svg")
    assert Path(kept).read_bytes() == (study / "figures" / "scores.svg").read_bytes()
    listed = [item.path for item in client.list_artifacts(run.info.run_id)]
    assert listed == ["figures", "study.json"]


def studies(client: MlflowClient) -> dict[str, str]:
    """The report of each run `study`, by the run's number."""
    numbers = [run.info.run_id for run in runs(client) if run.info.run_name == "study"]
    places = {one: client.download_artifacts(one, "report.html") for one in numbers}
    return {one: Path(place).read_text() for one, place in places.items()}


def test_studies_whose_folders_share_a_name_each_keep_a_run(
    study: Path, out: Path
) -> None:
    client = MlflowClient(tracking_uri=mlflow.address(out))
    for text in ("ours", "theirs", "ours, anew"):
        folder = out / text[:4] / "digits"
        shutil.copytree(study, folder, dirs_exist_ok=True)
        (folder / "report.html").write_text(text)
        mlflow.write_study(folder, out)
    assert sorted(studies(client).values()) == ["ours, anew", "theirs"]


def test_the_run_of_a_study_that_an_earlier_version_wrote_is_found_again(
    study: Path, out: Path
) -> None:
    client = MlflowClient(tracking_uri=mlflow.address(out))
    ours = shutil.copytree(study, out / "ours" / "digits")
    theirs = shutil.copytree(study, out / "theirs" / "digits")
    (ours / "report.html").write_text("ours")
    (theirs / "report.html").write_text("theirs")
    mlflow.write_study(ours, out)
    (earlier,) = studies(client)
    client.delete_tag(earlier, mlflow.FOLDER)
    mlflow.write_study(ours, out)
    assert studies(client) == {earlier: "ours"}
    mlflow.write_study(theirs, out)
    assert sorted(studies(client).values()) == ["ours", "theirs"]


def test_a_report_that_was_written_anew_takes_the_place_of_the_old(
    study: Path, out: Path
) -> None:
    changed = shutil.copytree(study, out / "digits")
    for text in ("before the check of the heatmaps", "after it"):
        (changed / "report.html").write_text(text)
        mlflow.write_study(changed, out)
    client = MlflowClient(tracking_uri=mlflow.address(out))
    (run,) = runs(client)
    kept = client.download_artifacts(run.info.run_id, "report.html")
    assert Path(kept).read_text() == "after it"


def test_new_figures_take_the_place_of_the_old(study: Path, out: Path) -> None:
    changed = out / "digits"
    (changed / "figures").mkdir(parents=True)
    for text in ("<svg/>", "<svg></svg>"):
        (changed / "figures" / "scores.svg").write_text(text)
        mlflow.write_study(changed, out)
    client = MlflowClient(tracking_uri=mlflow.address(out))
    (run,) = runs(client)
    kept = client.download_artifacts(run.info.run_id, "figures/scores.svg")
    assert Path(kept).read_text() == "<svg></svg>"
