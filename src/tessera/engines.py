"""Where a study's runs are trained: one small contract, kept by every engine.

An engine is given tasks and yields what happens to them. It remembers nothing: whether
a run is finished is a question for its folder alone, so two commands may fill one
study with different engines, one after the other.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Protocol

from tessera import together, workers
from tessera.data.dataset import Dataset
from tessera.experiment import Data


class EngineError(RuntimeError):
    """The engine cannot be used; the message says why and what to do."""


class Engine(Protocol):
    """Trains runs somewhere and leaves each in its folder."""

    @property
    def threads(self) -> int:
        """Cores of one training."""

    @property
    def slots(self) -> int:
        """Trainings side by side, as far as is known before they start."""

    def run_all(
        self, tasks: Sequence[workers.Task], data: Data, dataset: Dataset
    ) -> Generator[workers.Event]:
        """Yield what happens to the tasks until every one has ended.

        For each task there is one `Started`, any number of `Stepped`, and one
        `Finished` or `Failed`, in this order. After `Finished` the task's folder holds
        its record and all its other files. Closing the generator stops the work.

        Args:
            tasks: Runs on one dataset.
            data: Where the dataset can be loaded from again.
            dataset: What that gave here.
        """


@dataclass(frozen=True)
class Processes:
    """Processes of this machine."""

    slots: int
    threads: int
    seeds: int | None = None
    """Seeds of a cell that are one program on the device; None: train step by step."""

    def run_all(
        self, tasks: Sequence[workers.Task], data: Data, dataset: Dataset
    ) -> Generator[workers.Event]:
        """See `Engine`; each process loads the dataset from its cache."""
        groups = together.groups(tasks, self.seeds)
        jobs = min(self.slots, len(groups))
        return workers.run_all(groups, data, jobs=jobs, threads=self.threads)
