"""One thread that works through a bounded queue: one image is with the model at a time.

A full queue refuses at once, and a job whose deadline has passed is not started.
"""

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from http import HTTPStatus
from typing import Any, TypeVar

from tessera.serve.problem import Problem

Result = TypeVar("Result")

WAITING = 8
"""Jobs that may wait while one is at work."""

SECONDS = 20.0
"""From asking to answer."""


class Worker:
    """The thread and its queue.

    Args:
        waiting: Jobs that may wait.
        seconds: A job's deadline.
    """

    def __init__(self, *, waiting: int = WAITING, seconds: float = SECONDS) -> None:
        self._jobs: queue.Queue[tuple[float, Future[Any], Callable[[], Any]]] = (
            queue.Queue(waiting)
        )
        self._seconds = seconds
        threading.Thread(target=self._run, daemon=True).start()

    async def do(self, job: Callable[[], Result]) -> Result:
        """The job's result, or its exception.

        Raises:
            Problem: 503 the queue is full, or the deadline passed.
        """
        future: Future[Result] = Future()
        try:
            deadline = time.monotonic() + self._seconds
            self._jobs.put_nowait((deadline, future, job))
        except queue.Full:
            raise _busy("Too many images are waiting.") from None
        try:
            async with asyncio.timeout(self._seconds):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            raise _busy(f"No answer within {self._seconds:g} s.") from None

    def _run(self) -> None:
        while True:
            deadline, future, job = self._jobs.get()
            if time.monotonic() > deadline or not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(job())
            except Exception as error:
                future.set_exception(error)


def _busy(detail: str) -> Problem:
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, retry_after=2)
