"""Keeping checkpoints costs at most two hundredths of a run."""

import time
from pathlib import Path

import pytest

from proofs.conftest import Proof
from tessera import checkpoint
from tessera.data import source
from tessera.experiment import Digits, Experiment, Explain, Hybrid, Training
from tessera.record import RunFolder
from tessera.training import fit, resume

PROMISED = 0.02


@pytest.mark.proof
@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_saving_takes_at_most_two_percent_of_a_training(
    tmp_path: Path, proof: Proof, monkeypatch
) -> None:
    from tessera import pipeline, runtime, selection
    from tessera.models import build

    spent: list[float] = []
    real = checkpoint.save

    def timed(*arguments, **options) -> None:
        began = time.perf_counter()
        real(*arguments, **options)
        spent.append(time.perf_counter() - began)

    monkeypatch.setattr(resume.checkpoint, "save", timed)
    experiment = Experiment(
        data=Digits(image_size=16),
        models=(Hybrid(depth=1),),
        training=Training(epochs=proof.size(short=2, whole=40), batch_size=125),
        explain=Explain(examples=0),
        seeds=(0,),
    )
    run = experiment.runs()[0]
    dataset = source.load(run.data)
    runtime.make_deterministic(0)
    folder = RunFolder(tmp_path)
    store = pipeline.checkpoints(run, dataset, folder, lambda _: None)
    net = build.for_run(run, dataset.image_shape, 10)
    chosen = selection.choose(run, dataset)
    fitted = fit.fit(
        pipeline.job(run, net, dataset, chosen, folder=folder, store=store)
    )
    assert spent
    share = sum(spent) / fitted.seconds
    # A training of seconds holds its first save and little else.
    assert share < (PROMISED if proof.whole else 0.5)
    proof.record(
        "checkpoint_cost",
        "Keeping checkpoints costs at most 2 % of a run.",
        share_percent=round(100 * share, 2),
        promised_percent=100 * PROMISED,
        saves=len(spent),
        milliseconds_each=round(1000 * sum(spent) / len(spent), 1),
        training_seconds=round(fitted.seconds, 1),
        epochs=len(fitted.history),
    )
