"""Options become an engine; those that do not go together are named."""

import pytest

from tessera import engines, machine
from tessera.cli import engine
from tessera.settings import ExperimentError


def test_jobs_are_auto_or_a_number() -> None:
    assert (engine.parse_jobs("auto"), engine.parse_jobs("3")) == (None, 3)
    with pytest.raises(ExperimentError, match="Received: '0'"):
        engine.parse_jobs("0")


def test_nothing_said_means_this_machine() -> None:
    assert engine.options() == engine.Local()


def test_ray_gets_one_core_for_a_run_unless_told_otherwise() -> None:
    assert engine.options("ray") == engine.Ray("auto", None, 1, 0.0)
    asked = engine.options("ray", "8", "10.0.0.1:6379", 2, 0.25)
    assert asked == engine.Ray("10.0.0.1:6379", 8, 2, 0.25)


def test_gpus_that_ray_cannot_count_are_refused() -> None:
    for gpus in (0.0, 0.0001, 0.25, 1.0, 2.0):
        assert engine.options("ray", gpus=gpus) == engine.Ray(gpus=gpus)
    for gpus in (1.5, 0.00001):
        with pytest.raises(ExperimentError, match=f"a whole number .*: {gpus:g}"):
            engine.options("ray", gpus=gpus)


def test_an_unknown_engine_is_named() -> None:
    with pytest.raises(ExperimentError, match="expected local or ray"):
        engine.options("x")


@pytest.mark.parametrize("given", [{"address": "auto"}, {"gpus": 0.5}])
def test_options_of_ray_are_refused_without_it(given: dict[str, object]) -> None:
    with pytest.raises(ExperimentError, match="only together with --engine ray"):
        engine.options(**given)  # type: ignore[arg-type]


def test_threads_may_be_chosen_for_local_processes() -> None:
    with engine.opened(engine.Local(jobs=2, threads=5), missing=4) as found:
        assert found == engines.Processes(slots=2, threads=5)


def test_trainings_of_several_threads_share_the_cores(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(machine, "cores", lambda: 8)
    monkeypatch.setattr(machine, "memory", lambda: 100 * 2**30)
    with engine.opened(engine.options(threads=4), missing=9) as found:
        assert found == engines.Processes(slots=2, threads=4)


def test_a_study_with_nothing_to_do_connects_to_nothing() -> None:
    with engine.opened(engine.Ray("127.0.0.1:9"), missing=0) as found:
        assert isinstance(found, engines.Processes)


def test_seeds_together_have_one_process_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert engine.options(seeds=5) == engine.Local(jobs=1, seeds=5)
    with engine.opened(engine.options(jobs="2", seeds=5), missing=9) as found:
        assert found == engines.Processes(slots=2, threads=1, seeds=5)


@pytest.mark.parametrize(
    "backend,where", [("tensorflow", "local"), (None, "local"), ("jax", "ray")]
)
def test_seeds_together_need_jax_on_this_machine_and_the_way_out_is_said(
    monkeypatch: pytest.MonkeyPatch, backend: str | None, where: str
) -> None:
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    if backend is not None:
        monkeypatch.setenv("KERAS_BACKEND", backend)
    received = f"--engine {where} and KERAS_BACKEND={backend or 'tensorflow'}"
    with pytest.raises(ExperimentError, match=received) as caught:
        engine.options(where, seeds=5)
    assert "set KERAS_BACKEND=jax" in str(caught.value)
