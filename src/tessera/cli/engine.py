"""The options that say where runs are trained -> an engine, ready for them."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tessera.settings import ExperimentError

if TYPE_CHECKING:
    from tessera.engines import Engine


LEAST_GPU = 0.0001
"""The smallest share of one that Ray tells from none."""


@dataclass(frozen=True)
class Local:
    """Processes of this machine."""

    jobs: int | None = None
    """At a time; None: as many as cores and memory allow."""
    threads: int | None = None
    """Cores of each; None: one."""
    seeds: int | None = None
    """Seeds of a cell that are one program on the device; None: step by step."""


@dataclass(frozen=True)
class Ray:
    """A Ray cluster."""

    address: str = "auto"
    jobs: int | None = None
    threads: int = 1
    gpus: float = 0.0


Options = Local | Ray


def options(
    engine: str = "local",
    jobs: str = "auto",
    address: str | None = None,
    threads: int | None = None,
    gpus: float | None = None,
    seeds: int | None = None,
) -> Options:
    """What the command line asks for.

    Raises:
        ExperimentError: An option is wrong, or does not go with the engine.
    """
    wanted = parse_jobs(jobs)
    if seeds is not None:
        require_jax(engine)
    if engine == "ray":
        return Ray(address or "auto", wanted, threads or 1, checked(gpus or 0.0))
    if engine != "local":
        raise ExperimentError(f"--engine: expected local or ray. Received: {engine!r}.")
    for option, value in (("--address", address), ("--gpus", gpus)):
        if value is not None:
            raise ExperimentError(
                f"{option}: expected only together with --engine ray. "
                f"Received: {value!r} for --engine local."
            )
    if seeds is not None and wanted is None:
        wanted = 1  # one process has the device to itself
    return Local(wanted, threads, seeds)


def require_jax(engine: str) -> None:
    """Refuse seeds together where they cannot be.

    Raises:
        ExperimentError: The backend is not JAX, or the engine not this machine.
    """
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    if backend != "jax" or engine != "local":
        raise ExperimentError(
            "--seeds-together: expected --engine local and the JAX backend. Received: "
            f"--engine {engine} and KERAS_BACKEND={backend}. In the checkout, "
            "`pip install '.[jax]'` installs it ('.[jax-cuda]' for a GPU); then set "
            "KERAS_BACKEND=jax."
        )


def parse_jobs(text: str) -> int | None:
    """`auto` -> None, else a positive number.

    Raises:
        ExperimentError: It is neither.
    """
    if text == "auto":
        return None
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise ExperimentError(
        f"--jobs: expected auto or a number from 1 up. Received: {text!r}."
    )


def checked(gpus: float) -> float:
    """GPUs of a run, as Ray can count them.

    Raises:
        ExperimentError: It cannot.
    """
    if 0 < gpus < LEAST_GPU or (gpus > 1 and not gpus.is_integer()):
        raise ExperimentError(
            f"--gpus: expected a share of one GPU from {LEAST_GPU} up, or a whole "
            f"number of them. Received: {gpus:g}."
        )
    return gpus


@contextlib.contextmanager
def opened(options: Options, missing: int) -> Iterator["Engine"]:
    """An engine for so many missing runs; with none, nothing is connected to.

    Raises:
        EngineError: The engine cannot be used.
    """
    from tessera import engines, study

    match options:
        case Ray(address, jobs, threads, gpus) if missing:
            from tessera import ray_cluster, ray_engine

            with ray_cluster.connected(address):
                ray_cluster.check(threads, gpus)
                yield ray_engine.Ray(threads, gpus, jobs)
        case _:
            threads = options.threads or study.THREADS
            jobs = study.jobs_at_once(options.jobs, missing or 1, threads)
            seeds = options.seeds if isinstance(options, Local) else None
            yield engines.Processes(jobs, threads, seeds)
