"""docs/reference-study.md: its numbers, settings and verdicts are the code's."""

import re
import tomllib
from typing import Any

import numpy as np
import pytest

from docs.blocks import ROOT
from tessera import runtime, settings
from tessera.data import splits
from tessera.experiment import (
    CLASS_WEIGHTS,
    Balanced,
    Cnn,
    Hybrid,
    Profile,
    Reduced,
    Transformer,
)
from tessera.imbalance import profiles, weights

PAGE = (ROOT / "docs" / "reference-study.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
STUDY = settings.read(ROOT / "experiments" / "study.toml")

SETTING = re.compile(r"`((?:data|models|regimes|training)(?:\.\w+)+) = ([^`]+)`")
FILE = re.compile(r"`((?:experiments|results|src|tests)/[^`]+)`")


def rows(text: str, heading: str) -> list[list[str]]:
    """The cells of the table with this heading."""
    table = text[text.index(heading) :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table]


def counted(profile: Profile) -> tuple[np.ndarray, np.ndarray]:
    """Images of each class of CIFAR-10 to train on, and to validate with."""
    names = tuple(map(str, range(10)))
    kept = profiles.counts(profile, np.full(10, 5000), names)
    held = np.array([splits.held_count(int(n), STUDY.data.validation) for n in kept])
    return kept - held, held


def built(model: Any) -> Any:
    runtime.prepare()
    from tessera.models import build

    return build.build(model, (32, 32, 3), 10, seed=0)


def test_the_layers_are_those_of_the_hybrid_and_add_up() -> None:
    net = built(Hybrid())
    *table, total = rows(PAGE, "| The study | Layers in Tessera")
    for _, layers, output, parameters in table:
        group = [net.get_layer(name) for name in re.findall(r"`(\w+)`", layers)]
        shape = " x ".join(map(str, group[-1].output.shape[1:]))
        count = sum(layer.count_params() for layer in group)
        assert (output, parameters) == (shape, f"{count:,}")
    named = re.findall(r"`(\w+)`", " ".join(row[1] for row in table))
    assert sorted(named) == sorted(layer.name for layer in net.layers)
    assert total[3] == f"**{net.count_params():,}**"


@pytest.mark.parametrize("model", [Cnn(), Transformer()], ids=lambda m: m.kind)
def test_the_baselines_have_these_parameters(model: Any) -> None:
    part = PAGE[PAGE.index(f"`{model.kind}`") :]
    found = re.search(r"\(([\d,]{6,})", part)
    assert found and found[1] == f"{built(model).count_params():,}"


def test_so_many_images_are_left_and_so_much_they_weigh() -> None:
    train, held = counted(Balanced())
    both = f"{train.sum():,} images to train on and {held.sum():,} to validate with"
    assert both in PAGE
    train, held = counted(Reduced())
    assert f"{train.sum() + held.sum():,} images;" in PAGE
    assert (
        f"{train.sum():,} images to train on ({train[0]:,} of each whole class, "
        f"{train[3]:,} of each reduced one) and {held.sum():,} to validate with" in PAGE
    )
    weight = weights.class_weights(CLASS_WEIGHTS.weights, train)
    assert f"here {weight[0]:.2f} and {weight[3]:.2f}" in PAGE


def test_settings_are_those_of_the_experiment() -> None:
    found = SETTING.findall(PAGE)
    assert len(found) > 10
    for path, value in found:
        held: Any = STUDY.model_dump(mode="json")
        for key in path.split("."):
            held = held[int(key)] if key.isdecimal() else held[key]
        assert tomllib.loads(f"value = {value}")["value"] == held, path


def test_files_are_there() -> None:
    assert [name for name in FILE.findall(PAGE) if not (ROOT / name).exists()] == []


def test_verdicts_are_those_of_the_readme() -> None:
    ours = [row[2] for row in rows(PAGE, "| | The study concludes")]
    table = rows(README, "| The reference study says | Verdict |")
    assert ours == [row[1].strip("*") for row in table]
