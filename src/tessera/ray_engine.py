"""A study on a Ray cluster: Ray's core tasks, and results in the same run folders.

Each run is one task that asks for cores and, if wished, a share of a GPU. Ray sends it
to a node with room, ships the images there once, and tries again what died with its
worker or node. This process writes the files that come back, the record last, so that
nodes need no common disk and a run counts exactly when its folder says so.

Ray is used for nothing else: `ray.remote`, `ray.put`, `ray.wait`, one actor. The state
of a study is in its folders: losing the cluster loses what was under way and no more.
"""

import contextlib
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from tessera import files, locks, ray_cluster, ray_worker, workers
from tessera.data.dataset import Dataset, Split
from tessera.engines import EngineError
from tessera.execution import failed, is_finished
from tessera.experiment import Data
from tessera.ray_worker import Broken, Files, Job, Note
from tessera.record import RunFolder
from tessera.workers import Event, Failed, Finished, Started, Stepped, Task

RETRIES = 3
"""Times that Ray tries a run again whose worker or node died."""

POLL = 0.5
"""Seconds between two looks at the cluster."""

AHEAD = 2
"""Runs handed to Ray for every one that it has room for. The rest wait here, so that
finished files never pile up in the cluster faster than they are written."""

AT_LEAST = 64
"""Runs handed to Ray in any case, for clusters that grow with what waits."""

Work = Callable[[Job, Dataset, Any], Files | Broken]


@dataclass(frozen=True)
class Ray:
    """The engine; `ray_cluster.connected` has to come first."""

    threads: int = 1
    """Cores that a run asks for, and threads that it uses."""
    gpus: float = 0.0
    """GPUs that a run asks for; 0.25: four share one."""
    jobs: int | None = None
    """Runs at a time at most; None: as many as there is room for."""
    work: Work = ray_worker.train
    """What a node does with a job."""

    @property
    def slots(self) -> int:
        """Runs that the nodes have room for now."""
        room = sum(ray_cluster.rooms(self.threads, self.gpus))
        return max(1, min(room, self.jobs or room))

    def run_all(
        self, tasks: Sequence[Task], data: Data, dataset: Dataset
    ) -> Generator[Event]:
        """See `engines.Engine`; the images are shipped, `data` is not read again."""
        import ray

        state = _State(list(tasks))
        board = _board()
        shipped = ray.put(plain(dataset))
        remote = ray.remote(
            num_cpus=self.threads,
            num_gpus=self.gpus,
            max_retries=RETRIES,
            # A GPU's memory comes back with the end of the process only.
            max_calls=1 if self.gpus else workers.RUNS_OF_A_PROCESS,
        )(self.work)
        try:
            while state.waiting or state.flying:
                limit = self.jobs or max(AT_LEAST, AHEAD * self.slots)
                for index in state.ready(limit - len(state.flying)):
                    try:
                        state.claim(index)
                    except (locks.FolderInUse, files.CannotWrite) as error:
                        yield from state.passed_over(index, failed(tasks[index], error))
                        continue
                    if is_finished(tasks[index], dataset):
                        yield from state.passed_over(index, Finished(tasks[index]))
                        continue
                    job = self._job(index, tasks[index], dataset)
                    state.flying[remote.remote(job, shipped, board)] = index
                ended = _ended(list(state.flying))
                yield from state.noted(_take(board))
                for reference in ended:
                    yield from state.ended(reference, _result(reference))
        finally:
            for reference in state.flying:
                ray.cancel(reference, force=True)
            ray.kill(board)
            state.release(*state.claims)

    def _job(self, index: int, task: Task, dataset: Dataset) -> Job:
        return Job(
            index,
            task.run,
            _donor_files(task, dataset),
            ray_worker.start_files(task.run),
            threads=self.threads,
            gpus=self.gpus,
            backend=os.environ.get("KERAS_BACKEND", "tensorflow"),
            software=ray_worker.software(),
        )


@dataclass
class _State:
    """The tasks of one call: which wait, which fly, which were seen to start."""

    tasks: list[Task]
    waiting: list[int] = field(init=False)
    flying: dict[Any, int] = field(default_factory=dict)
    """Reference -> index of its task."""
    started: set[int] = field(default_factory=set)
    claims: dict[int, contextlib.ExitStack] = field(default_factory=dict)
    """Index of a task -> what keeps others out of its folder."""

    def __post_init__(self) -> None:
        self.waiting = list(range(len(self.tasks)))

    def ready(self, room: int) -> list[int]:
        """Take up to `room` waiting tasks whose donor is not itself still to do."""
        undone = {
            self.tasks[i].folder.path for i in (*self.waiting, *self.flying.values())
        }
        found: list[int] = []
        for index in self.waiting:
            donor = self.tasks[index].donor
            if len(found) < room and (donor is None or donor.path not in undone):
                found.append(index)
        taken = set(found)
        self.waiting = [index for index in self.waiting if index not in taken]
        return found

    def claim(self, index: int) -> None:
        """Keep others out of a task's folder until `release`.

        Raises:
            FolderInUse, CannotWrite: See `locks.held`.
        """
        with contextlib.ExitStack() as claim:
            claim.enter_context(locks.held(self.tasks[index].folder.path))
            self.claims[index] = claim.pop_all()

    def release(self, *indices: int) -> None:
        """Let others into the tasks' folders again."""
        for index in indices:
            self.claims.pop(index).close()

    def noted(self, notes: Sequence[Note]) -> Iterator[Event]:
        """Notes of flying tasks as events; a second start is a retry, and not told."""
        flying = set(self.flying.values())
        for note in notes:
            if note.index not in flying:
                continue
            yield from self.start(note.index)
            if note.epoch is not None:
                task = self.tasks[note.index]
                yield Stepped(task, note.epoch, note.fraction, note.row)

    def start(self, index: int) -> Iterator[Event]:
        """The task's `Started`, unless it was told before."""
        if index not in self.started:
            self.started.add(index)
            yield Started(self.tasks[index])

    def passed_over(self, index: int, end: Failed | Finished) -> Iterator[Event]:
        """The end of a task that another command is at, or has finished meanwhile."""
        yield from self.start(index)
        yield end
        if index in self.claims:
            self.release(index)

    def ended(self, reference: Any, result: Files | Broken) -> Iterator[Event]:
        """Store what came back, and say how the task ended."""
        index = self.flying.pop(reference)
        task = self.tasks[index]
        yield from self.start(index)
        if isinstance(result, Broken):
            yield Failed(task, result.message, result.details)
        else:
            yield kept(result, task)
        self.release(index)


def kept(content: Files, task: Task) -> Finished | Failed:
    """Store what came back of a task; a refusal of the disk is this run's end alone."""
    try:
        store(content, task.folder)
    except files.CannotWrite as error:
        return failed(task, error)
    return Finished(task)


def store(content: Files, folder: RunFolder) -> None:
    """Write files into a run's folder, each atomically, the record last.

    Raises:
        EngineError: A name leads out of the folder, or there is no record.
        CannotWrite: The disk refused a file; there is no record yet.
    """
    record = folder.record.name
    if record not in content:
        raise EngineError(f"{folder.path}: expected a record. Received: none.")
    files.sweep(folder.path)  # what a command that was killed had begun to write
    for name in sorted(content, key=lambda name: name == record):
        parts = PurePosixPath(name).parts
        if PurePosixPath(name).is_absolute() or ".." in parts or "\\" in name:
            raise EngineError(
                f"{folder.path}: expected names inside the folder. Received: {name!r}."
            )
        with files.replacing(folder.path / name) as temporary:
            temporary.write_bytes(content[name])


def plain(dataset: Dataset) -> Dataset:
    """The dataset with ordinary arrays, which Ray shares without a copy on a node.

    Memory-mapped ones would be shipped as their path, which only this machine has.
    """

    def ordinary(split: Split) -> Split:
        images, labels = np.asarray(split.images), np.asarray(split.labels)
        return replace(split, images=images, labels=labels)

    held = dataset.validation
    return replace(
        dataset,
        train=ordinary(dataset.train),
        test=ordinary(dataset.test),
        validation=None if held is None else ordinary(held),
    )


def _donor_files(task: Task, dataset: Dataset) -> Files | None:
    """What a task takes over from its donor, if that is finished."""
    if task.donor is None:
        return None
    if not is_finished(Task(task.run.without_after(), task.donor), dataset):
        return None
    wanted = (task.donor.record, task.donor.history, task.donor.weights)
    return ray_worker.carried(*wanted)


def _board() -> Any:
    """The actor for progress, on this machine: it lives as long as the study does."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(
        ray.get_runtime_context().get_node_id(), soft=True
    )
    options = {"num_cpus": 0, "max_restarts": -1, "scheduling_strategy": here}
    return ray.remote(ray_worker.Board).options(**options).remote()


def _take(board: Any) -> list[Note]:
    """New notes; none while the actor is being moved, as only progress is lost."""
    import ray

    try:
        notes: list[Note] = ray.get(board.take.remote(), timeout=10 * POLL)
    except (ray.exceptions.RayActorError, ray.exceptions.GetTimeoutError):
        return []
    return notes


def _ended(flying: list[Any]) -> list[Any]:
    """Those that end within `POLL`."""
    import ray

    if not flying:
        return []
    ended: list[Any]
    ended, _ = ray.wait(flying, num_returns=len(flying), timeout=POLL)
    return ended


def _result(reference: Any) -> Files | Broken:
    """What a task returned, or that Ray gave it up."""
    import ray

    try:
        result: Files | Broken = ray.get(reference)
    except ray.exceptions.RayError as error:
        why = f"{type(error).__name__}: {ray_cluster.first_line(error)}"
        return Broken(why, str(error))
    return result
