"""Train an epoch, once or several times in one process, and leave the weights.

    KERAS_BACKEND=jax python tests/proofs/one_epoch.py OUT[:START] SEED:DROPOUT ...

Training N leaves `OUT/N/before.npz` and `OUT/N/after.npz`. START is an `.npz` of
initial weights: backends draw other random numbers, so that two of them can only be
compared from the same start and without dropout.
"""

import sys
from pathlib import Path

from tessera import files, runtime, selection
from tessera.data import source
from tessera.experiment import Cnn, Digits, Experiment, Explain, Training
from tessera.record import RunFolder


def main(out: Path, start: Path | None, trainings: list[str]) -> None:
    """All trainings, as a worker does one after the other."""
    runtime.prepare(1)
    runtime.load_backend(alone=True)
    for number, words in enumerate(trainings):
        seed, dropout = words.split(":")
        train(RunFolder(out / str(number)), start, int(seed), float(dropout))
        runtime.forget()


def train(folder: RunFolder, start: Path | None, seed: int, dropout: float) -> None:
    """Train and write `before.npz`, `after.npz`."""
    from tessera import pipeline
    from tessera.models import build
    from tessera.training import fit

    experiment = Experiment(
        data=Digits(image_size=16),
        models=(Cnn(dropout=dropout),),
        # Of 980 images: batches of one shape, so that their step is compiled once.
        training=Training(epochs=1, crop_padding=2, batch_size=140),
        explain=Explain(examples=0),
        seeds=(seed,),
    )
    run = next(run for run in experiment.runs() if run.regime.name == "imbalanced")
    dataset = source.load(run.data)
    runtime.make_deterministic(seed)
    net = build.for_run(run, dataset.image_shape, 10)
    if start is not None:
        net.set_weights(list(files.read_arrays(start).values()))
    folder.path.mkdir()
    write(folder.path / "before.npz", net)
    chosen = selection.choose(run, dataset)
    fit.fit(pipeline.job(run, net, dataset, chosen, folder=folder))
    write(folder.path / "after.npz", net)


def write(path: Path, net: object) -> None:
    weights = net.get_weights()  # type: ignore[attr-defined]
    files.write_arrays(path, **{f"w{n:03d}": array for n, array in enumerate(weights)})


if __name__ == "__main__":
    out_, _, start_ = sys.argv[1].partition(":")
    main(Path(out_), Path(start_) if start_ else None, sys.argv[2:])
