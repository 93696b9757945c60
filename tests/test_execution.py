"""A task carried out in this process, and what another command leaves of it to do."""

from pathlib import Path

import filelock
import toy_run

from tessera import checkpoint, execution, together, workers
from tessera.data import digits
from tessera.experiment import Cnn
from tessera.record import RunFolder

RUN = toy_run.experiment([Cnn()]).runs()[0]


def test_a_run_that_another_command_is_at_is_left_to_it(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with filelock.FileLock(tmp_path / "run" / ".lock"):
        at_work = workers.Task(RUN, RunFolder(tmp_path / "run"))
        ended = execution.carry_out(at_work, None, send=lambda _: None)
    assert isinstance(ended, workers.Failed)
    assert "another tessera command is working in this folder" in ended.message
    assert [path.name for path in (tmp_path / "run").iterdir()] == [".lock"]


def test_a_run_that_another_command_has_finished_meanwhile_is_not_repeated(
    tmp_path: Path,
) -> None:
    done = workers.Task(RUN, RunFolder(tmp_path))
    toy_run.write_run(done.folder, done.run)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    events: list[workers.Event] = []
    ended = execution.carry_out(done, toy_run.digits(), send=events.append)
    assert (ended, events) == (workers.Finished(done), [])
    assert {path: path.read_bytes() for path in before} == before


def leave_a_checkpoint(folder: RunFolder) -> None:
    checkpoint.save(folder.checkpoints, 1, {}, {}, digest="any")


def test_a_run_killed_between_its_record_and_the_end_is_tidied(tmp_path: Path) -> None:
    done = workers.Task(RUN, RunFolder(tmp_path))
    toy_run.write_run(done.folder, done.run)
    leave_a_checkpoint(done.folder)
    with filelock.FileLock(tmp_path / ".lock"):
        execution.tidy(done, toy_run.digits())
        assert done.folder.checkpoints.exists()
    execution.tidy(done, toy_run.digits())
    assert not done.folder.checkpoints.exists()


def test_the_checkpoints_of_a_run_under_way_are_not_tidied_away(tmp_path: Path) -> None:
    under_way = workers.Task(RUN, RunFolder(tmp_path))
    leave_a_checkpoint(under_way.folder)
    execution.tidy(under_way, toy_run.digits())
    assert list(under_way.folder.checkpoints.iterdir())


def test_images_that_changed_since_the_command_began_are_not_trained_on(
    tmp_path: Path,
) -> None:
    begun = RUN.digest(toy_run.digits().fingerprint)
    task = workers.Task(RUN, RunFolder(tmp_path / "run"), digest=begun)
    events: list[workers.Event] = []
    alone = execution.carry_out(task, digits.load(8), send=events.append)
    together.carry_out([task], digits.load(8), threads=1, send=events.append)
    started, beside = events
    assert started == workers.Started(task)
    for ended in (alone, beside):
        assert isinstance(ended, workers.Failed)
        assert ended.message.startswith("DataError: Digits")
        assert "the folder was changed meanwhile" in ended.message
    assert not task.folder.path.exists()


def test_progress_is_sent_about_twenty_times_an_epoch() -> None:
    sent: list[workers.Stepped] = []

    report = execution.reporter(
        sent.append, workers.Task(RUN, RunFolder(Path("unused")))
    )
    for step in range(1, 401):
        report(0, step, 400, None)
    assert 19 <= len(sent) <= 21
