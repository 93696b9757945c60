"""A node's part: the same files as a local run, errors as values, few messages."""

from dataclasses import replace
from pathlib import Path

import pytest

from tessera import files, ray_worker
from tessera.data import source
from tessera.experiment import Cnn, Digits, Experiment, Explain, Hybrid, Start, Training
from tessera.ray_worker import Broken, Job, Note
from tessera.record import Record, RunFolder

DATA = Digits(image_size=8)


class Pinned:
    """A board in this process: `put.remote` pins at once."""

    def __init__(self) -> None:
        self.board = ray_worker.Board()
        self.put = self
        self.remote = self.board.put


def job(**training: object) -> Job:
    run = Experiment(
        data=DATA,
        models=(Cnn(),),
        training=Training.model_validate({"epochs": 1, "batch_size": 625} | training),
        explain=Explain(examples=0),
    ).runs()[0]
    return Job(
        index=5,
        run=run,
        donor=None,
        start=None,
        threads=1,
        gpus=0.0,
        backend="tensorflow",
        software=ray_worker.software(),
    )


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_run_comes_back_as_its_files_and_tells_its_start_and_its_epochs() -> None:
    pinned = Pinned()
    found = ray_worker.train(job(), source.load(DATA), pinned)
    assert isinstance(found, dict)
    record = Record.model_validate_json(found["record.json"])
    assert (record.model, record.provenance.threads) == ("cnn", 1)
    assert {"experiment.toml", "predictions.npz", "best.weights.h5"} <= found.keys()
    notes = pinned.board.take()
    assert notes[0] == Note(5)
    assert [note.epoch for note in notes if note.row is not None] == [1]
    assert pinned.board.take() == []


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_run_starts_from_weights_that_lie_on_no_disk_of_the_node(
    toy: RunFolder,
) -> None:
    start = Start(run=str(toy.path), sha256=files.sha256(toy.weights))
    here = job().run
    run = here.model_copy(
        update={"model": Hybrid(start=start), "data": Digits(image_size=16)}
    )
    carried = ray_worker.start_files(run)
    gone = replace(job(), run=run.starting_at(Path("gone")), start=carried)
    found = ray_worker.train(gone, source.load(gone.run.data), None)
    assert isinstance(found, dict)
    record = Record.model_validate_json(found["record.json"])
    assert record.notes[0].startswith("Starts from the weights of hybrid under")
    assert b'run = "gone"' in found["experiment.toml"]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_an_error_of_the_run_is_a_value_with_its_traceback() -> None:
    found = ray_worker.train(job(learning_rate=1e30), source.load(DATA), None)
    assert isinstance(found, Broken)
    assert found.message.startswith("TrainingDiverged: epoch 1")
    assert "Traceback" in found.details


def test_a_node_with_other_versions_refuses_before_it_trains() -> None:
    import dataclasses

    other = job().software | {"keras": "1.0"}
    wanted = dataclasses.replace(job(), software=other)
    found = ray_worker.train(wanted, source.load(DATA), None)
    assert isinstance(found, Broken)
    assert (
        "expected the versions of the machine that started the study" in found.message
    )
    assert "keras 1.0, here" in found.message
    assert "numpy" not in found.message


def test_a_package_that_only_one_side_has_is_a_difference() -> None:
    assert ray_worker.differences({"a": "1"}, {"a": "1"}) == []
    assert ray_worker.differences({"a": "1"}, {}) == ["a 1, here absent"]
    assert ray_worker.differences({}, {"b": "2"}) == ["b absent, here 2"]


def test_a_folder_survives_the_journey(tmp_path: Path) -> None:
    here = RunFolder(tmp_path / "here")
    (here.path / "inner").mkdir(parents=True)
    here.record.write_bytes(b"{}")
    (here.path / "inner" / "map.npz").write_bytes(b"\x00\x01")
    content = ray_worker.packed(here)
    assert content == {"inner/map.npz": b"\x00\x01", "record.json": b"{}"}
    there = ray_worker.unpacked(content, tmp_path / "there")
    assert there is not None
    assert ray_worker.packed(there) == content
    assert ray_worker.unpacked(None, tmp_path / "nowhere") is None


def test_a_run_sends_every_row_and_at_most_a_note_a_second_besides() -> None:
    now = 0.0
    notes: list[Note] = []
    report = ray_worker.reporter(notes.append, 3, lambda: now)
    for step in range(1, 101):  # a hundred steps in ten seconds
        now = step / 10
        row = {"val_accuracy": 0.5} if step == 100 else None
        report(0, step, 100, row)
    assert 10 <= len(notes) <= 12
    assert notes[-1] == Note(3, 0, 1.0, {"val_accuracy": 0.5})
