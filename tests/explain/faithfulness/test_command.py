"""From a run's folder to its record, with the digits as data."""

from dataclasses import replace

import numpy as np
import pytest

from explain.test_command import record
from tessera import files, png, settings
from tessera.data import digits
from tessera.evaluation import faithfulness as checked
from tessera.experiment import Cnn, Digits, Experiment, Explain, Folder
from tessera.explain.faithfulness import (
    command,
    fitting,
    mappers,
    planted,
    sampling,
)
from tessera.explain.faithfulness.answers import predictor
from tessera.explain.faithfulness.measure import Settings
from tessera.explain.faithfulness.method import Glyphs
from tessera.explain.graph import ExplainError
from tessera.explain.methods import AttentionRollout, EigenCam, GradCam
from tessera.models import build
from tessera.record import RunFolder

AMOUNT = Settings(images=20, steps=4, check_images=10, mosaics=3, shares=(0.3,))


@pytest.fixture(scope="module")
def dataset():
    return digits.load(16)


@pytest.fixture(scope="module")
def run(tmp_path_factory, dataset):
    """A finished run on the digits; its weights are those that training begins with."""
    folder = RunFolder(tmp_path_factory.mktemp("cell") / "seed-0")
    experiment = Experiment(
        data=Digits(image_size=16),
        models=(Cnn(),),
        regimes=Experiment().regimes[:1],
        seeds=(0,),
        explain=Explain(examples=1),
    )
    files.write_text(folder.experiment, settings.dumps(experiment))
    found = record().model_copy(
        update={"data": dataset.summary(), "model": "cnn", "reduced_classes": (3, 5)}
    )
    files.write_text(folder.record, found.model_dump_json())
    net = build.build(Cnn(), dataset.image_shape, 10, seed=7)
    net.save_weights(folder.weights)
    return folder


@pytest.mark.slow
def test_a_run_leaves_a_record_and_the_values_behind_it(run):
    said = []
    wanted = command.Wanted(settings=AMOUNT, shuffled_epochs=1)
    truth, others = (planted.plant(12, seed=seed).located() for seed in (0, 1))
    ground = Glyphs(planted.reader(seed=0), 1.0, truth, others)
    found = command.check_run(run, wanted, ground=lambda: ground, tell=said.append)
    assert "images" in said and any("ROAD" in text for text in said)
    assert checked.read(run.faithfulness, record_of(run)) == found
    assert command.kept(run, wanted) == found
    assert command.kept(run, command.Wanted(settings=AMOUNT)) is None
    (method,) = found.methods
    keys = {row.metric for row in method.measured}
    assert {"deletion_mean", "road", "average_drop", "stability_worst"} <= keys
    assert {c.key for c in method.checks} == {
        "cascade",
        "independent",
        "edges",
        "shuffled_labels",
    }
    assert found.groups["tail"] == ("3", "5")
    assert sum(b.images for b in method.blanks.values()) == found.images == 20
    _values_fit(run, method)


def test_without_a_reader_of_glyphs_one_is_trained_for_the_seed(run, monkeypatch):
    seeds = []

    def training(*, seed):
        seeds.append(seed)
        raise InterruptedError

    monkeypatch.setattr(command, "glyphs", training)
    monkeypatch.setattr(command, "measure_method", lambda *_, ground, **__: ground())
    with pytest.raises(InterruptedError):
        command.check_run(run, command.Wanted(settings=replace(AMOUNT, seed=5)))
    assert seeds == [5]


@pytest.mark.parametrize(
    "asked, told",
    [
        ({"layer": "feature"}, "Did you mean 'features'"),
        ({"methods": (AttentionRollout(),)}, "with self-attention"),
    ],
)
def test_a_run_that_cannot_be_explained_so_is_refused_before_glyphs_are_learned(
    run, asked, told
):
    def training():
        pytest.fail("learned")

    with pytest.raises(ExplainError, match=told):
        command.check_run(
            run, command.Wanted(settings=AMOUNT, **asked), ground=training
        )


def test_shuffled_labels_are_learned_once_for_all_methods(run, dataset, monkeypatch):
    learned = []

    def memorise(net, images, labels, **_):
        learned.append(labels)
        return 1.0

    monkeypatch.setattr(fitting, "memorise", memorise)
    net = build.build(Cnn(), dataset.image_shape, 10, seed=7)
    wanted = command.Wanted(settings=AMOUNT, shuffled_epochs=3)
    more = command.further(run, net, dataset.train, wanted, lambda _: None)
    few = sampling.draw(
        predictor(net), dataset.test.images, dataset.test.labels, count=10, seed=0
    )
    for method in (GradCam(), EigenCam()):
        mapper = mappers.mapper(method)
        (check,) = more(mapper, few, mapper(net, few.images, few.targets))
        assert "learned to 100 % in at most 3 epochs" in check.caveat
    assert len(learned) == 1


def _values_fit(run, method):
    """Every mean in the record is the mean of the stored values."""
    values = files.read_arrays(run.faithfulness_values)
    for row in method.measured:
        series = values[f"Grad-CAM/{row.metric}/Grad-CAM"].astype(np.float64)
        assert row.level.images == np.isfinite(series).sum()
        if row.level.mean is not None:
            assert row.level.mean == pytest.approx(np.nanmean(series), abs=1e-5)
    assert values["Grad-CAM/raw"].shape == (20, 4, 4)
    assert values["labels"].shape == values["indices"].shape == (20,)


def record_of(run):
    from tessera.record import Record

    return Record.model_validate_json(run.record.read_bytes())


def test_other_images_than_those_trained_on_are_refused_with_the_option_for_them(
    run, tmp_path, monkeypatch
):
    monkeypatch.setenv("TESSERA_CACHE", str(tmp_path / "cache"))
    for number in range(12):
        path = tmp_path / f"images/{number % 2}/{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png.encoded(np.full((16, 16, 3), 9 * number, np.uint8)))
    wanted = command.Wanted(settings=AMOUNT)
    with pytest.raises(ExplainError, match=r"Say where they are with --data\.$"):
        command.check_run(run, wanted, data=Folder(path=str(tmp_path / "images")))


def test_images_that_moved_are_read_at_the_size_of_the_run(run, dataset, monkeypatch):
    found = []

    def seen(_, images, *__):
        found.append(images)
        raise InterruptedError

    monkeypatch.setattr(command, "subject_of", seen)
    with pytest.raises(InterruptedError):
        command.check_run(
            run, command.Wanted(settings=AMOUNT), data=Digits(image_size=32)
        )
    assert [images.fingerprint for images in found] == [dataset.fingerprint]


def test_a_place_that_cannot_be_written_to_is_refused_before_anything_is_measured(
    run, tmp_path
):
    (tmp_path / "file").touch()
    said = []
    with pytest.raises(files.CannotWrite, match="A file stands where a folder"):
        command.check_run(
            run,
            command.Wanted(settings=AMOUNT),
            out=tmp_path / "file" / "out",
            tell=said.append,
        )
    assert said == []


def test_head_and_tail_are_what_the_profile_left_and_cut(run):
    groups = command.head_and_tail(record_of(run))
    assert groups == {"head": tuple("01246789"), "tail": ("3", "5")}
    level = record_of(run).model_copy(update={"reduced_classes": ()})
    assert command.head_and_tail(level) == {}


def test_another_seed_of_the_same_recipe_is_found_beside_it(tmp_path):
    first, second = (RunFolder(tmp_path / f"seed-{n}") for n in (0, 1))
    first.path.mkdir()
    assert command.sibling(first) is None
    for folder in (first, second):
        folder.path.mkdir(exist_ok=True)
        folder.record.touch()
    assert command.sibling(first) is None  # without weights it cannot be explained
    second.weights.touch()
    assert command.sibling(first) == second
