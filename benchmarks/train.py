"""Train the reference study's hybrid in every way a user might, and compare.

    python benchmarks/train.py                 one core each, as in a study
    python benchmarks/train.py --cores 2       two cores each

Every way trains the same model (193,098 parameters) on the same batches of 128 images,
flipped and cropped by the same NumPy code, with Adam and a running accuracy. The peers
are what one would write without Tessera: the model as the reference study describes it,
Keras' `fit`, or PyTorch's usual loop. A peer that is not installed is skipped. In 16
bits (bfloat16) everybody trains again: what multiplies coarser is compared with its
like.

Speeds are given by the clock and by processor time. On one core the second is what the
first would be on an idle machine; on a machine in use, only it means something.
"""

import argparse
import importlib.util
import itertools
import os
from collections.abc import Callable, Iterator
from typing import Any

import measure
import numpy as np

from tessera.experiment import Precision

STEPS, BATCH, CLASSES = 5, 128, 10
TENSORFLOW = {"KERAS_BACKEND": "tensorflow", "TF_ENABLE_ONEDNN_OPTS": "1"}
WAYS: dict[str, tuple[str, str, dict[str, str]]] = {
    # name: (what it is, the module it needs, environment)
    "tessera": ("Tessera", "tensorflow", TENSORFLOW),
    "tessera-16": ("Tessera, bfloat16", "tensorflow", TENSORFLOW),
    "keras": ("Keras on TensorFlow, oneDNN", "tensorflow", TENSORFLOW),
    "keras-16": ("Keras on TensorFlow, mixed_bfloat16", "tensorflow", TENSORFLOW),
    "keras-eigen": (
        "Keras on TensorFlow, no oneDNN",
        "tensorflow",
        {**TENSORFLOW, "TF_ENABLE_ONEDNN_OPTS": "0"},
    ),
    "torch": ("PyTorch, channels last", "torch", {}),
    "torch-16": ("PyTorch, channels last, autocast bfloat16", "torch", {}),
    "torch-compile": ("PyTorch, torch.compile", "torch", {}),
    "keras-jax": ("Keras on JAX", "jax", {"KERAS_BACKEND": "jax"}),
}


def batches(epoch: int = 0) -> Any:
    """An epoch of `STEPS` batches: uint8 pixels and int32 labels, augmented."""
    from tessera.data.dataset import Split
    from tessera.experiment import Training
    from tessera.imbalance.plan import Phase
    from tessera.training.batches import Epoch, Material

    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (STEPS * BATCH, 32, 32, 3), dtype=np.uint8)
    labels = rng.integers(0, CLASSES, len(images), dtype=np.int32)
    split = Split(images, labels)
    material = Material(split, np.arange(len(images)), split)
    counts = split.counts(CLASSES)
    return Epoch(material, Training(), Phase(), counts, seed=0, epoch=epoch)


def tessera(precision: Precision) -> Callable[[], object]:
    """Tessera's own model, loss and compiled step."""
    from tessera import runtime

    runtime.prepare(len(os.sched_getaffinity(0)))
    runtime.load_backend()
    runtime.make_deterministic(0)
    from tessera.experiment import Hybrid, Training
    from tessera.imbalance.plan import Phase, Plan
    from tessera.models.build import build
    from tessera.training import stages

    net = build(Hybrid(), (32, 32, 3), CLASSES, seed=0)
    phase, counts = Phase(), np.full(CLASSES, STEPS * BATCH // CLASSES)
    plan, span = Plan((phase,), tuple(counts)), stages.Span("everything", 0, 1)
    training = Training(precision=precision)
    stage = stages.begin(net, plan, span, training, epoch_steps=[STEPS], seed=0)
    train = stages.compiled(net, stage, phase, counts, training)
    return lambda: train(batches(), lambda _: None)


def keras(precision: Precision) -> Callable[[], object]:
    """Keras' functional model and `fit`, on the backend that KERAS_BACKEND names."""
    import keras
    from keras import layers

    if precision != "float32":
        keras.config.set_dtype_policy(f"mixed_{precision}")

    class Batches(keras.utils.PyDataset):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.epoch = batches()

        def __len__(self) -> int:
            return STEPS

        def __getitem__(self, index: int) -> Any:
            pixels, labels = self.epoch._batch(index)
            return pixels.astype(np.float32), labels

    raw = keras.Input((32, 32, 3))
    x = layers.Rescaling(1 / 255)(raw)
    for filters in (32, 64):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D(2)(x)
    x = layers.Conv2D(128, 3, padding="same", activation="relu")(x)
    grid = layers.Permute((1, 3, 2, 4, 5))(layers.Reshape((4, 2, 4, 2, 128))(x))
    tokens = layers.Dense(128)(layers.Reshape((16, 512))(grid))
    both = [layers.GlobalAveragePooling2D()(x), layers.GlobalAveragePooling1D()(tokens)]
    x = layers.Dense(128, activation="relu")(layers.Concatenate()(both))
    logits = layers.Dense(CLASSES, dtype="float32")(layers.Dropout(0.3)(x))
    net = keras.Model(raw, logits)
    assert net.count_params() == 193_098
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    net.compile("adam", loss, metrics=["accuracy"])
    return lambda: net.fit(Batches(), shuffle=False, verbose=0)


def torch(compiled: bool, precision: Precision) -> Callable[[], object]:
    """A module and the usual loop, in PyTorch's faster layout for CPUs."""
    import torch
    from torch import nn

    class Hybrid(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            widths = [3, 32, 64, 128]
            self.convolutions = nn.ModuleList(
                nn.Conv2d(a, b, 3, padding=1) for a, b in itertools.pairwise(widths)
            )
            self.tokens = nn.Linear(512, 128)
            self.head, self.logits = nn.Linear(256, 128), nn.Linear(128, CLASSES)
            self.dropout = nn.Dropout(0.3)

        def forward(self, x: Any) -> Any:
            first, second, third = self.convolutions
            x = nn.functional.max_pool2d(first(x).relu(), 2)
            x = nn.functional.max_pool2d(second(x).relu(), 2)
            x = third(x).relu()
            patches = nn.functional.unfold(x, 2, stride=2).transpose(1, 2)
            both = torch.cat([x.mean((2, 3)), self.tokens(patches).mean(1)], 1)
            return self.logits(self.dropout(self.head(both).relu()))

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    net = Hybrid().to(memory_format=torch.channels_last)
    assert sum(p.numel() for p in net.parameters()) == 193_098
    run = torch.compile(net) if compiled else net
    coarse = precision == "bfloat16"
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)

    def epoch() -> float:
        correct = torch.zeros((), dtype=torch.int64)
        for pixels, labels in batches():
            # NHWC memory seen as NCHW is what PyTorch calls channels last.
            x = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
            y = torch.from_numpy(labels).long()
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast("cpu", torch.bfloat16, enabled=coarse):
                logits = run(x)
            logits = logits.float()
            nn.functional.cross_entropy(logits, y).backward()
            optimizer.step()
            correct += (logits.argmax(1) == y).sum()
        return int(correct) / (STEPS * BATCH)

    return epoch


def child(way: str) -> None:
    """What the process of one way does."""
    precision: Precision = "bfloat16" if coarse(way) else "float32"
    match way.partition("-")[0]:
        case "tessera":
            measure.serve(tessera(precision))
        case "keras":
            measure.serve(keras(precision))
        case "torch":
            measure.serve(torch(way == "torch-compile", precision))


def coarse(way: str) -> bool:
    """Whether a way multiplies in 16 bits."""
    return way.endswith("-16")


def children(ways: list[str], cores: int) -> Iterator[measure.Child]:
    """A process for every one of these ways that is installed."""
    everything = sorted(os.sched_getaffinity(0))
    for index, way in enumerate(ways):
        title, module, environment = WAYS[way]
        allowed = {everything[(index + i) % len(everything)] for i in range(cores)}
        if importlib.util.find_spec(module) is None:
            print(f"skipped {title}: {module} is not installed")
            continue
        threads = {"OMP_NUM_THREADS": str(cores)}
        yield measure.Child(__file__, way, environment | threads, allowed)


def one_round(process: measure.Child) -> dict[str, float]:
    """What a round of a way took, per step."""
    process.ask()
    found = process.answer()
    return {
        "clock_ms": 1e3 * found["seconds"] / STEPS,
        "processor_ms": 1e3 * found["cpu"] / STEPS,
        "peak_mib": found["peak"],
    }


def table(record: dict[str, Any]) -> str:
    """One line a way; ratios are to the fastest peer of the same precision."""
    middle = {
        way: {name: measure.median(values) for name, values in rounds.items()}
        for way, rounds in record["ways"].items()
    }
    lines = [
        "| 128 images | processor ms | images/s | ratio | clock ms | ratio |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for way, found in middle.items():
        cells = [WAYS[way][0]]
        peers = [
            other
            for name, other in middle.items()
            if not name.startswith("tessera") and coarse(name) == coarse(way)
        ]
        for name in ("processor_ms", "clock_ms"):
            best = min(peer[name] for peer in peers)
            cells.append(f"{found[name]:.1f}")
            if name == "processor_ms":
                cells.append(f"{1e3 * BATCH / found[name] * record['cores']:,.0f}")
            cells.append(f"{best / found[name]:.2f}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + coarser(middle)


def coarser(middle: dict[str, dict[str, float]]) -> str:
    """What 16 bits gain, in a sentence."""
    if "tessera-16" not in middle:
        return ""
    whole, half = (middle[way]["processor_ms"] for way in ("tessera", "tessera-16"))
    best = min(
        found["processor_ms"]
        for way, found in middle.items()
        if not way.startswith("tessera") and not coarse(way)
    )
    return (
        f"\n\nBy processor time, Tessera's step in 16 bits is {whole / half:.2f} times "
        f"as fast as its own in 32, and {best / half:.2f} times as fast as the fastest "
        "peer's in 32."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--way", choices=WAYS, help="used by the benchmark itself")
    chosen = parser.parse_args()
    if chosen.way:
        child(chosen.way)
        return
    record: dict[str, Any] = {"machine": measure.machine(), "cores": chosen.cores}
    ways: dict[str, dict[str, list[float]]] = {}
    ready = measure.start(list(children(chosen.ways, chosen.cores)))
    for _ in range(chosen.rounds):
        for process in ready:
            rounds = ways.setdefault(process.way, {})
            for name, value in one_round(process).items():
                rounds.setdefault(name, []).append(round(value, 2))
    for process in ready:
        process.end()
    record["ways"] = ways
    print(table(record))
    measure.write("train", record)


if __name__ == "__main__":
    main()
