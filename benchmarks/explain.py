"""Maps per second against tf-keras-vis and Xplique: same models, images, process.

    python benchmarks/explain.py [--images 1000] [--rounds 5] [--out RECORD.json]

Needs TensorFlow and the dependency group `dev`. Xplique is measured where it is
installed; 2.0 pins an older TensorFlow, so `pip install --no-deps xplique` and what it
imports. Every tool is set up once and called once before it is timed; that first call,
which compiles, is in brackets. Then the tools take turns for some rounds, and the
medians are compared. Tessera and tf-keras-vis give maps on the layer's grid; Xplique
enlarges them to the image, which is part of what it does.
"""

import argparse
import importlib.metadata
import importlib.util
import os
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from rich.console import Console
from rich.table import Table

from tessera import files, runtime
from tessera.experiment import Cnn, Hybrid, Transformer
from tessera.explain import gradients, maps, methods, pixels
from tessera.models import build

BATCH = 128
TESSERA, VIS, XPLIQUE = "Tessera", "tf-keras-vis", "Xplique"

Call = Callable[[], Any]


@dataclass(frozen=True)
class Task:
    """One job, and how each tool does it."""

    name: str
    items: int
    """Maps, or whatever a second is divided among."""
    tools: dict[str, Call]


@dataclass(frozen=True)
class Timing:
    """What one tool took for one task."""

    task: str
    tool: str
    items: int
    first_seconds: float
    seconds: tuple[float, ...]
    """Of every round."""

    @property
    def per_second(self) -> float:
        """Items per second, from the median round."""
        return self.items / statistics.median(self.seconds)


@dataclass(frozen=True, eq=False)
class Subject:
    """A model and images, as every tool is given them."""

    label: str
    net: keras.Model
    images: np.ndarray
    """float32 [N, 32, 32, 3]; the predicted class is explained."""
    targets: np.ndarray
    """int [N]"""

    @property
    def one_hot(self) -> np.ndarray:
        """The targets as Xplique takes them."""
        return np.eye(self.net.output.shape[-1], dtype=np.float32)[self.targets]

    def first(self, count: int) -> "Subject":
        """The same with fewer images."""
        return Subject(self.label, self.net, self.images[:count], self.targets[:count])


def subjects(count: int, labels: list[str]) -> Iterator[Subject]:
    """The reference study's models, untrained, which cost the same as trained ones."""
    images = np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3))
    images = images.astype(np.float32)
    for settings in (Cnn(), Hybrid(), Transformer()):
        if settings.label not in labels:
            continue
        net = build.build(settings, (32, 32, 3), 10, seed=0)
        targets = net.predict(images, verbose=0).argmax(axis=1)
        yield Subject(settings.label, net, images, targets)


def map_tasks(subject: Subject) -> Iterator[Task]:
    """Maps at the layer `features` for all images; slower methods for fewer."""
    count = len(subject.images)
    for method, vis, xplique in (
        (methods.GradCam(), "gradcam.Gradcam", "GradCAM"),
        (methods.GradCamPlusPlus(), "gradcam_plus_plus.GradcamPlusPlus", "GradCAMPP"),
        (methods.LayerCam(), "layercam.Layercam", None),
        (methods.ScoreCam(), "scorecam.Scorecam", None),
    ):
        few = max(count // 50, 1) if method == methods.ScoreCam() else count
        part = subject.first(few)
        tools = {TESSERA: on_layer(part, method), VIS: vis_cam(part, vis)}
        if xplique:
            tools |= xplique_call(part, xplique, conv_layer="features")
        yield Task(f"{method.label}, {part.label}", few, tools)
    few = max(count // 20, 1)
    part = subject.first(few)
    smooth = methods.SmoothGrad(samples=25, noise=0.2)
    yield Task(
        f"SmoothGrad, 25 samples, {part.label}",
        few,
        {TESSERA: on_pixels(part, smooth), VIS: vis_smooth(part)}
        | xplique_call(part, "SmoothGrad", nb_samples=25, noise=51.0),
    )
    paths = methods.IntegratedGradients(steps=32)
    yield Task(
        f"integrated gradients, 32 steps, {part.label}",
        few,
        {TESSERA: on_pixels(part, paths)}
        | xplique_call(part, "IntegratedGradients", steps=32),
    )
    covers = methods.Occlusion(cells=8, window=2.0, fill=0.0)
    yield Task(
        f"occlusion, 8 x 8, {part.label}",
        few,
        {TESSERA: on_pixels(part, covers)}
        | xplique_call(part, "Occlusion", patch_size=(8, 8), patch_stride=(4, 4)),
    )


def on_layer(subject: Subject, method: methods.OnLayer) -> Call:
    cut = gradients.cut(subject.net, "features")
    return lambda: maps.compute(
        cut, subject.images, method=method, target=subject.targets, batch_size=BATCH
    )


def on_pixels(subject: Subject, method: methods.OnPixels) -> Call:
    lens = pixels.lens(subject.net)
    return lambda: maps.compute(
        lens, subject.images, method=method, target=subject.targets, batch_size=BATCH
    )


def portions(subject: Subject) -> Iterator[tuple[np.ndarray, Any]]:
    from tf_keras_vis.utils.scores import CategoricalScore

    for start in range(0, len(subject.images), BATCH):
        part = slice(start, start + BATCH)
        yield subject.images[part], CategoricalScore(subject.targets[part].tolist())


def vis_cam(subject: Subject, name: str) -> Call:
    module, kind = name.split(".")
    tool = getattr(importlib.import_module(f"tf_keras_vis.{module}"), kind)
    drawer = tool(subject.net, clone=False)
    options = {"penultimate_layer": "features", "seek_penultimate_conv_layer": False}
    options |= {"expand_cam": False, "normalize_cam": False}
    return lambda: [drawer(s, x, **options) for x, s in portions(subject)]


def vis_smooth(subject: Subject) -> Call:
    from tf_keras_vis.saliency import Saliency

    drawer = Saliency(subject.net, clone=False)
    options = {"smooth_samples": 25, "smooth_noise": 0.2, "normalize_map": False}
    return lambda: [drawer(s, x, **options) for x, s in portions(subject)]


def xplique_call(subject: Subject, name: str, **options: Any) -> dict[str, Call]:
    """Xplique's tool, or nothing where it is not installed."""
    if importlib.util.find_spec("xplique") is None:
        return {}
    from xplique import attributions

    explainer = getattr(attributions, name)(subject.net, batch_size=BATCH, **options)
    return {XPLIQUE: lambda: explainer(subject.images, subject.one_hot)}


def measure(task: Task, rounds: int) -> list[Timing]:
    """Time a task: every tool once, then all of them in turn."""
    first = {tool: seconds(call) for tool, call in task.tools.items()}
    taken: dict[str, list[float]] = {tool: [] for tool in task.tools}
    for _ in range(rounds):
        for tool, call in task.tools.items():
            taken[tool].append(seconds(call))
    return [
        Timing(task.name, tool, task.items, first[tool], tuple(taken[tool]))
        for tool in task.tools
    ]


def seconds(call: Call) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def ratio(timings: list[Timing]) -> float | None:
    """How many times the fastest other tool's speed Tessera has."""
    others = [t.per_second for t in timings if t.tool != TESSERA]
    own = next(t.per_second for t in timings if t.tool == TESSERA)
    return own / max(others) if others else None


def table(results: list[list[Timing]]) -> Table:
    rows = Table("task", "maps", title="Maps per second (first call, s)")
    for tool in (TESSERA, VIS, XPLIQUE):
        rows.add_column(tool, justify="right")
    rows.add_column("Tessera / fastest other", justify="right")
    for timings in results:
        cells = {
            t.tool: f"{t.per_second:,.0f} ({t.first_seconds:.1f})" for t in timings
        }
        times = ratio(timings)
        rows.add_row(
            timings[0].task,
            str(timings[0].items),
            *(cells.get(tool, "") for tool in (TESSERA, VIS, XPLIQUE)),
            "" if times is None else f"{times:.1f}",
        )
    return rows


def record(results: list[list[Timing]]) -> dict[str, Any]:
    """Every number, and the machine it was measured on."""
    return {
        "batch": BATCH,
        # Other work on the machine slows every tool; taking turns shares it out.
        "load_average": os.getloadavg(),
        "environment": runtime.environment().model_dump(mode="json"),
        "packages": {
            name: importlib.metadata.version(name)
            for name in ("tf-keras-vis", "xplique")
            if importlib.util.find_spec(name.replace("-", "_"))
        },
        "timings": [
            asdict(timing) | {"per_second": timing.per_second}
            for timings in results
            for timing in timings
        ],
        "ratios": {timings[0].task: ratio(timings) for timings in results},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--models", nargs="+", default=["cnn", "hybrid", "transformer"])
    parser.add_argument("--out", type=Path, help="JSON, written after every task")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # of the other tools
    console = Console()
    results = []
    for subject in subjects(options.images, options.models):
        for task in map_tasks(subject):
            results.append(measure(task, options.rounds))
            console.print(f"{task.name}: done", style="dim")
            if options.out:
                files.write_json(options.out, record(results))
    console.print(table(results))


if __name__ == "__main__":
    main()
