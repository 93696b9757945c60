"""A training under way <-> a checkpoint: everything that its next epoch depends on.

Order, augmentation and mixing are functions of (seed, epoch) and need no memory. What
does is here: the model's variables with the states of its random layers, the
optimizer's, the best weights so far, and the history.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from keras import ops
from numpy.typing import NDArray

from tessera import checkpoint

Row: TypeAlias = dict[str, float]
"""One epoch of the history."""

Groups: TypeAlias = Mapping[str, Sequence[Any]]
"""Keras variables, by the part of the training that they belong to."""

BUDGET = 0.01
"""Largest share of the time that saving may take; the promise is 0.02."""


@dataclass(frozen=True)
class Store:
    """Where a training's checkpoints lie, and whose they are."""

    folder: Path
    digest: str
    """Hash of all that decides the training."""
    note: Callable[[str], None] | None = None
    """Told of each checkpoint that is not used, and why; None: the error stream is."""


@dataclass(frozen=True, eq=False)
class Best:
    """The best weights since the phase began."""

    score: float
    """See `validation.standing`."""
    weights: tuple[NDArray[Any], ...]
    """As `get_weights` gives them."""


@dataclass(eq=False)
class State:
    """What a training has come to after some epochs."""

    history: list[Row] = field(default_factory=list)
    best: Best | None = None
    seconds: float = 0.0
    """Spent on these epochs by processes that are gone."""
    cpu_seconds: float = 0.0
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    """Values that variables had, until `restore` gives them back."""
    began: float = field(default_factory=time.perf_counter)
    busy: float = field(default_factory=time.process_time)
    saved: float = field(default_factory=time.perf_counter)
    cost: float = 0.0
    """Seconds that the last save took."""

    def elapsed(self) -> tuple[float, float]:
        """Wall and processor seconds, of this process and those before it."""
        wall = self.seconds + time.perf_counter() - self.began
        return wall, self.cpu_seconds + time.process_time() - self.busy


def resumed(store: Store | None) -> State:
    """The state of the newest usable checkpoint, or the beginning."""
    if store is None:
        return State()
    found = checkpoint.load(store.folder, digest=store.digest, note=store.note)
    if found is None:
        return State()
    score = found.state["best_score"]
    arrays = found.arrays
    names = [name for name in arrays if name.startswith("best/")]
    weights = tuple(arrays.pop(name) for name in names)
    return State(
        history=found.state["history"],
        best=None if score is None else Best(score, weights),
        seconds=found.state["seconds"],
        cpu_seconds=found.state["cpu_seconds"],
        arrays=arrays,
    )


def save(store: Store | None, state: State, groups: Groups) -> None:
    """Keep a checkpoint of the state, unless the last one is too young for its cost.

    Raises:
        CannotWrite: The disk refused it; older checkpoints are as they were.
    """
    began = time.perf_counter()
    if store is None or began - state.saved < state.cost / BUDGET:
        return
    arrays = {name: ops.convert_to_numpy(variable) for name, variable in _named(groups)}
    best = state.best
    kept = () if best is None else best.weights
    arrays |= {f"best/{index}": array for index, array in enumerate(kept)}
    seconds, cpu_seconds = state.elapsed()
    facts: dict[str, checkpoint.Json] = {
        "history": state.history,
        "best_score": None if best is None else best.score,
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
    }
    step = len(state.history)
    checkpoint.save(store.folder, step, arrays, facts, digest=store.digest)
    state.saved = time.perf_counter()
    state.cost = state.saved - began


def restore(state: State, groups: Groups) -> None:
    """Give variables the values of the checkpoint that the state came from, if any."""
    if state.arrays:
        for name, variable in _named(groups):
            variable.assign(state.arrays[name])


def _named(groups: Groups) -> list[tuple[str, Any]]:
    return [
        (f"{group}/{index}", variable)
        for group, variables in groups.items()
        for index, variable in enumerate(variables)
    ]
