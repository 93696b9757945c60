"""One job at a time, few in waiting, and none after its deadline."""

import asyncio
import threading

import pytest

from tessera.serve.problem import Problem
from tessera.serve.work import Worker


def test_a_job_gives_its_result_or_its_error() -> None:
    worker = Worker()
    assert asyncio.run(worker.do(lambda: 6 * 7)) == 42
    with pytest.raises(ZeroDivisionError):
        asyncio.run(worker.do(lambda: 1 / 0))
    assert asyncio.run(worker.do(lambda: "still there")) == "still there"


def test_a_full_queue_refuses_at_once_and_says_when_to_come_back() -> None:
    release, started = threading.Event(), threading.Event()

    def slow() -> str:
        started.set()
        release.wait(30)
        return "done"

    async def crowd() -> tuple[list[object], Problem]:
        worker = Worker(waiting=2)
        first = asyncio.create_task(worker.do(slow))
        await asyncio.to_thread(started.wait, 30)
        others = [asyncio.create_task(worker.do(lambda: "later")) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Problem) as refused:
            await worker.do(lambda: "too many")
        release.set()
        return [await task for task in (first, *others)], refused.value

    results, refused = asyncio.run(crowd())
    assert results == ["done", "later", "later"]
    assert refused.status == 503 and refused.retry_after == 2


def test_a_job_whose_deadline_passed_is_answered_and_never_started() -> None:
    release, ran = threading.Event(), []

    async def late() -> int:
        worker = Worker(seconds=0.2)
        first = asyncio.create_task(worker.do(lambda: release.wait(30)))
        second = asyncio.create_task(worker.do(lambda: ran.append(1)))
        outcomes = await asyncio.gather(first, second, return_exceptions=True)
        release.set()
        assert await worker.do(lambda: "after") == "after"
        return [getattr(outcome, "status", None) for outcome in outcomes]

    assert asyncio.run(late()) == [503, 503]
    assert ran == []


def test_jobs_never_run_side_by_side() -> None:
    at_work, most = [], []

    def job() -> None:
        at_work.append(1)
        most.append(len(at_work))
        at_work.pop()

    async def many() -> None:
        worker = Worker(waiting=50)
        await asyncio.gather(*(worker.do(job) for _ in range(50)))

    asyncio.run(many())
    assert max(most) == 1 and len(most) == 50
