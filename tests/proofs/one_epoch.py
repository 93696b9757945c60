"""Train one epoch in a process of its own and leave the weights.

    KERAS_BACKEND=jax python tests/proofs/one_epoch.py SEED DROPOUT OUT [START]

START is an `.npz` of initial weights: backends draw other random numbers, so that two
of them can only be compared from the same start and without dropout.
"""

import sys
from pathlib import Path

from tessera import files, pipeline, runtime, selection
from tessera.data import source
from tessera.experiment import Cnn, Digits, Experiment, Explain, Training
from tessera.record import RunFolder


def main(seed: int, dropout: float, out: Path, start: Path | None) -> None:
    """Train and write `before.npz`, `after.npz`."""
    runtime.prepare(1)
    runtime.load_backend()
    from tessera.models import build
    from tessera.training import fit

    experiment = Experiment(
        data=Digits(image_size=16),
        models=(Cnn(dropout=dropout),),
        training=Training(epochs=1, crop_padding=2),
        explain=Explain(examples=0),
        seeds=(seed,),
    )
    run = next(run for run in experiment.runs() if run.regime.name == "imbalanced")
    dataset = source.load(run.data)
    runtime.make_deterministic(seed)
    net = build.for_run(run, dataset.image_shape, 10)
    if start is not None:
        net.set_weights(list(files.read_arrays(start).values()))
    write(out / "before.npz", net)
    chosen = selection.choose(run, dataset)
    fit.fit(pipeline.job(run, net, dataset, chosen, folder=RunFolder(out)))
    write(out / "after.npz", net)


def write(path: Path, net: object) -> None:
    weights = net.get_weights()  # type: ignore[attr-defined]
    files.write_arrays(path, **{f"w{n:03d}": array for n, array in enumerate(weights)})


if __name__ == "__main__":
    start_ = Path(sys.argv[4]) if len(sys.argv) > 4 else None
    main(int(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3]), start_)
