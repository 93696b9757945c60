"""Runs on a Ray cluster: core tasks, the data shipped once per node, results fetched.

The state of a study lies in its folders, not in the cluster: a run counts when its
record lies in its folder, which only the driver writes. Workers, nodes or the driver
may die at any time; the same command does what is missing.
"""

import contextlib
import socket
import tempfile
import traceback
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tessera import files
from tessera.data.dataset import Dataset
from tessera.experiment import Run
from tessera.record import RunFolder
from tessera.workers import Event, Failed, Finished, Started, Stepped, Task

RETRIES = 3
"""Times that a run is started again after its worker or node died."""

AHEAD = 2
"""Runs handed to the cluster per core: one at work, one waiting."""

POLL = 0.5
"""Seconds between two looks at the cluster."""

PATIENCE = 10.0
"""Seconds in which the head must answer."""

Content = Mapping[str, bytes]
"""A run's files by name."""


class ClusterError(RuntimeError):
    """There is no cluster to work with; the message says why and what to do."""


def run_all(
    tasks: Sequence[Task],
    dataset: Dataset,
    *,
    address: str | None = None,
    threads: int = 1,
) -> Generator[Event]:
    """Yield what happens while a cluster works through the tasks.

    Closing the generator, as an exception in its consumer does, cancels what is left.

    Args:
        tasks: Runs on one dataset.
        dataset: Put into the cluster's store once; a node fetches it once.
        address: Of the cluster, `HOST:PORT`; None: this machine alone.
        threads: Cores that a run asks for.

    Raises:
        ClusterError: Ray is not installed, or nothing answers at the address.
    """
    ray = _connect(address)
    try:
        yield from _work(ray, list(tasks), dataset, threads)
    finally:
        ray.shutdown()


def _connect(address: str | None) -> Any:
    try:
        import ray
    except ImportError as error:
        raise ClusterError(
            "--engine ray: expected the package ray. Received: it is not installed. In "
            "the checkout, `pip install '.[ray]'` installs it."
        ) from error
    if address is not None:
        _check_reachable(address)
    try:
        ray.init(
            address=address,
            log_to_driver=False,
            logging_level="ERROR",
            include_dashboard=None if address else False,
        )
    except Exception as error:  # Ray raises bare ones too when a node does not start
        raise ClusterError(
            f"--address: expected a Ray cluster at {address or 'this machine'}. "
            f"Received: {error}. "
            "`ray start --head` starts one."
        ) from error
    return ray


def _check_reachable(address: str) -> None:
    """Ray itself would wait for minutes where nothing answers."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), PATIENCE).close()
    except (OSError, ValueError) as error:
        raise ClusterError(
            f"--address: expected a Ray cluster at {address}. Received: {error}. "
            "`ray start --head --port=6379` starts one at HOST:6379."
        ) from error


def _work(
    ray: Any, waiting: list[Task], dataset: Dataset, threads: int
) -> Iterator[Event]:
    board = _board(ray)
    stored = ray.put(dataset)
    remote = ray.remote(num_cpus=threads, max_retries=RETRIES)(execute)
    running: dict[Any, Task] = {}
    started: set[int] = set()
    tasks = dict(enumerate(waiting))
    numbers = {id(task): number for number, task in tasks.items()}
    while waiting or running:
        room = AHEAD * int(ray.cluster_resources().get("CPU", 1) // threads)
        while waiting and len(running) < max(1, room):
            task = waiting.pop(0)
            number = numbers[id(task)]
            given = (task.run, donated(task.donor), threads, board, number)
            running[remote.remote(stored, *given)] = task
        done, _ = ray.wait(list(running), timeout=POLL)
        yield from _told(ray, board, tasks, started)
        for reference in done:
            task = running.pop(reference)
            if numbers[id(task)] not in started:
                started.add(numbers[id(task)])
                yield Started(task)
            yield _collected(ray, reference, task)


def _collected(ray: Any, reference: Any, task: Task) -> Event:
    """Fetch a run's files into its folder, or say why there are none."""
    try:
        content, failure = ray.get(reference)
    except ray.exceptions.RayError as error:
        first = str(error).strip().splitlines()[0]
        return Failed(task, f"{type(error).__name__}: {first}", "")
    if failure is not None:
        return Failed(task, *failure)
    unpack(content, task.folder)
    return Finished(task)


def execute(
    dataset: Dataset,
    run: Run,
    donor: Content | None,
    threads: int,
    board: Any,
    number: int,
) -> tuple[Content, tuple[str, str] | None]:
    """On a node: do one run in a folder of its own; its files, or what went wrong.

    An error of the run itself comes back as (message, traceback) and is not tried
    again, since it would repeat; a death of the process is.
    """
    from tessera import runtime

    runtime.prepare(threads)
    runtime.load_backend()
    from tessera import pipeline

    if board is not None:
        board.tell.remote(number, None)
    with tempfile.TemporaryDirectory() as name:
        folder, other = RunFolder(Path(name) / "run"), RunFolder(Path(name) / "donor")
        if donor is not None:
            unpack(donor, other)
        try:
            pipeline.execute(
                run,
                dataset,
                folder,
                threads=threads,
                donor=None if donor is None else other,
                report=_reporter(board, number),
            )
        except Exception as error:
            return {}, (f"{type(error).__name__}: {error}", traceback.format_exc())
        return pack(folder), None


def pack(folder: RunFolder) -> Content:
    """Every file of a run's folder."""
    return {path.name: path.read_bytes() for path in sorted(folder.path.iterdir())}


def unpack(content: Content, folder: RunFolder) -> None:
    """Write a run's files, its record last: until then the run is unfinished."""
    for name in sorted(content, key=lambda name: name == folder.record.name):
        with files.replacing(folder.path / name) as temporary:
            temporary.write_bytes(content[name])


def donated(donor: RunFolder | None) -> Content | None:
    """The files of a run whose training is the same, where it is finished."""
    if donor is None or not donor.record.exists():
        return None
    return pack(donor)


class Board:
    """Where workers say how far they are; lives in an actor beside the driver."""

    def __init__(self) -> None:
        self._told: dict[int, tuple[int, float] | None] = {}
        self._rows: list[tuple[int, int, dict[str, float]]] = []

    def tell(
        self,
        number: int,
        place: tuple[int, float] | None,
        row: dict[str, float] | None = None,
    ) -> None:
        """Keep the latest place of a run, and every finished epoch's row."""
        self._told[number] = place
        if row is not None and place is not None:
            self._rows.append((number, place[0], row))

    def take(self) -> tuple[dict[int, Any], list[tuple[int, int, dict[str, float]]]]:
        """What is new since the last time."""
        told, self._told = self._told, {}
        rows, self._rows = self._rows, []
        return told, rows


def _board(ray: Any) -> Any:
    """The board's actor, on the driver's own node, so that no other death ends it."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = ray.get_runtime_context().get_node_id()
    where = NodeAffinitySchedulingStrategy(node_id=here, soft=True)
    return ray.remote(num_cpus=0, scheduling_strategy=where)(Board).remote()


def _told(
    ray: Any, board: Any, tasks: Mapping[int, Task], started: set[int]
) -> Iterator[Event]:
    """What the workers told, as events; progress is lost, not runs, if it fails."""
    told: dict[int, Any] = {}
    rows: list[tuple[int, int, dict[str, float]]] = []
    with contextlib.suppress(ray.exceptions.RayError):
        told, rows = ray.get(board.take.remote())
    for number in told:
        if number not in started:
            started.add(number)
            yield Started(tasks[number])
    for number, epoch, row in rows:
        yield Stepped(tasks[number], epoch, 0.0, row)
    for number, place in told.items():
        if place is not None:
            yield Stepped(tasks[number], place[0], place[1], None)


def _reporter(board: Any, number: int) -> Any:
    """A training's report function: tells the board each finished tenth of an epoch."""
    last = -1.0

    def report(epoch: int, done: int, steps: int, row: dict[str, float] | None) -> None:
        nonlocal last
        position = epoch + done / steps
        if board is not None and (row is not None or position - last >= 0.1):
            last = position
            board.tell.remote(number, (epoch, done / steps), row)

    return report
