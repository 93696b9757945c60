"""One training step of every phase of every remedy, on the backend in use."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache, partial

import keras
import numpy as np

from tessera import catalogue, remedies
from tessera.data.dataset import Split
from tessera.experiment import Training
from tessera.imbalance import plan as plans
from tessera.imbalance.plan import Phase
from tessera.models.logits import CosineLogits
from tessera.training import stages, steps
from tessera.training.batches import Epoch, Material

COUNTS = np.array([20, 8, 4])
EPOCHS = 5
CASES = [
    (name, index)
    for name, remedy in catalogue.catalogue().items()
    for index in range(len(plans.plan(remedy, COUNTS).phases))
]


def material() -> Material:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(3, dtype=np.int32), COUNTS)
    images = rng.integers(0, 255, (len(labels), 4, 4, 3), dtype=np.uint8)
    split = Split(images, labels)
    return Material(split, np.arange(len(labels)), split)


def model(loss: remedies.Loss) -> keras.Model:
    """A linear classifier of the pixels whose weights are the same everywhere."""
    last = (
        CosineLogits(3, loss.scale, name="logits")
        if isinstance(loss, remedies.Ldam)
        else keras.layers.Dense(3, name="logits")
    )
    net = keras.Sequential(
        [
            keras.Input((4, 4, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Flatten(),
            last,
        ]
    )
    kernel = np.random.default_rng(1).normal(size=(48, 3)).astype(np.float32) / 5
    last.kernel.assign(kernel)
    return net


def step(name: str, index: int) -> list[np.ndarray]:
    """The last layer's weights, and the factors, after one step of a phase."""
    remedy = catalogue.named(name)
    plan = plans.plan(remedy, COUNTS)
    phase = plan.phases[index]
    span = next(s for s in stages.spans(plan, EPOCHS) if s.trains == phase.trains)
    return stepped(remedy.loss, replace(phase, until=1.0), span.first)


@cache
def stepped(loss: remedies.Loss, phase: Phase, epoch: int) -> list[np.ndarray]:
    """The same; many remedies begin with the phase of plain training."""
    net = model(loss)
    training = Training(epochs=EPOCHS, batch_size=32, learning_rate=0.01)
    # `redraw` is random, and the backends draw differently: keep the weights given.
    scales = (
        keras.Variable(np.ones(3, np.float32)) if phase.trains == "scales" else None
    )
    trained = (scales,) if scales is not None else tuple(net.trainable_variables)
    optimizer = keras.optimizers.SGD(0.1)
    optimizer.build(trained)
    task = steps.Task(
        net=net,
        optimizer=optimizer,
        loss=partial(plans.mean_loss, phase, COUNTS),
        trained=trained,
        live=phase.trains == "everything",
        scales=scales,
        sharpness=phase.sharpness,
    )
    batches = Epoch(material(), training, phase, COUNTS, seed=0, epoch=epoch)
    steps.compiled(task)(batches, lambda _: None)
    return [keras.ops.convert_to_numpy(v) for v in (*net.weights, *trained)]


def every_step() -> Iterator[tuple[str, list[np.ndarray]]]:
    for name, index in CASES:
        yield f"{name}/{index}", step(name, index)
