"""The card says what a user must know, in Markdown that names cannot break."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tessera.data import decode
from tessera.ensembled import Ensemble
from tessera.evaluation import scores
from tessera.evaluation.significance import McNemar
from tessera.experiment import Cifar10, Digits, Folder
from tessera.export import card
from tessera.export.fidelity import Fidelity
from tessera.export.parity import Parity
from tessera.export.words import escaped, percent
from tessera.trained import Trained

PARITY = Parity(
    images=1000, tested=360, probability=3e-7, heatmap=2e-6, same_answers=1000
)


@pytest.fixture(scope="module")
def text(model: Trained) -> str:
    return card.card(model, PARITY, form="onnx")


def test_every_class_stands_with_its_counts_and_scores(
    model: Trained, text: str
) -> None:
    for name, images in zip(
        model.class_names, model.record.data.test_counts, strict=True
    ):
        assert f"| {name} | " in text
        assert re.search(rf"^\| {name} \| .* \| {images} \|$", text, re.MULTILINE)
    share = r"(?:[\d.]+ %|\N{EN DASH})"
    scored = re.findall(rf"^\| \d \| {share} \| [\d.]+ % \| [\d.]+ to", text, re.M)
    assert len(scored) == 10


def test_the_accuracy_stands_with_its_interval(model: Trained, text: str) -> None:
    accuracy = f"{100 * model.record.scores.accuracy:.1f} %"
    found = re.search(r"\| accuracy \| ([\d.]+ %) \| ([\d.]+) to ([\d.]+) % \|", text)
    assert found is not None and found[1] == accuracy
    assert float(found[2]) < float(found[1][:-2]) < float(found[3])


def test_averages_over_a_class_of_few_test_images_have_no_interval(
    model: Trained, text: str
) -> None:
    matrix = np.diag([30] * 9 + [4])
    matrix[0, 1] = 10
    scored = scores.from_confusion(matrix, model.class_names)
    data = model.record.data.model_copy(update={"test_counts": (40, *[30] * 8, 4)})
    record = model.record.model_copy(update={"scores": scored, "data": data})
    told = card.card(replace(model, record=record), PARITY, form="onnx")
    assert re.search(r"\| macro-F1 \| [\d.]+ % \| none \|", told)
    assert re.search(r"\| accuracy \| [\d.]+ % \| [\d.]+ to [\d.]+ % \|", told)
    why = "A class has fewer than 5 test images"
    assert why in told and why not in text


def test_the_check_calibration_and_origin_are_told(model: Trained, text: str) -> None:
    assert "On 1,000 images, 360 of them test images" in text
    assert "3.0e-07" in text and "2.0e-06" in text
    assert f"divided by {model.temperature:.4f}" in text
    assert model.record.data.fingerprint in text
    assert "heatmap" in card.card(model, PARITY, form="onnx")


def test_a_model_that_is_not_calibrated_is_not_said_to_be(
    model: Trained, text: str
) -> None:
    why = "10 validation images, where a temperature takes 50"
    cold = replace(model, temperature=1.0, uncalibrated=why)
    told = card.card(cold, PARITY, form="onnx")
    assert f"| calibration | none: {why} |" in told
    assert "- Probabilities are not calibrated: " in told
    assert "Probabilities are calibrated" not in told
    assert "fitted on 100 validation images |" in text
    assert "- Probabilities are calibrated on validation images" in text


def test_the_precision_of_a_class_that_was_never_predicted_is_no_number(
    model: Trained, text: str
) -> None:
    matrix = np.diag([30] * 9 + [0])
    matrix[9, 0] = 30
    scored = scores.from_confusion(matrix, model.class_names)
    record = model.record.model_copy(update={"scores": scored})
    told = card.card(replace(model, record=record), PARITY, form="onnx")
    assert "| 9 | \N{EN DASH} | 0.0 % |" in told
    assert "| 0 | 50.0 % | 100.0 % |" in told
    why = "A class that was never predicted has no precision."
    assert why in told and told.count("\N{EN DASH}") == 1


def test_the_origin_says_whether_the_program_was_changed(model: Trained) -> None:
    changed = {"commit": "0123456789abcdef", "dirty": True}
    made = model.record.provenance.model_copy(update=changed)
    record = model.record.model_copy(update={"provenance": made})
    text = card.card(replace(model, record=record), PARITY, form="onnx")
    assert "(commit `0123456789ab`, with uncommitted changes)" in text


@pytest.mark.parametrize(
    ("mode", "name"),
    [
        ("RGB", "a.jpg"),
        ("RGBA", "a.png"),
        ("LA", "b.png"),
        ("P", "c.png"),
        ("L", "a.bmp"),
    ],
)
def test_its_code_reads_a_picture_as_training_does(
    text: str, mode: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    pixels = Image.fromarray(rng.integers(0, 256, (40, 60, 4), np.uint8), "RGBA")
    turned = Image.Exif()
    turned[0x0112] = 6
    pixels.convert(mode).save(tmp_path / name, exif=turned)
    monkeypatch.chdir(tmp_path)
    found = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert found is not None
    values: dict[str, np.ndarray] = {}
    exec(found[1].replace("photo.jpg", name), values)
    np.testing.assert_array_equal(values["pixels"][0], decode.read(Path(name), 16))


def test_without_a_heatmap_there_is_no_second_output(model: Trained) -> None:
    plain = Parity(1000, 360, 3e-7, None, 1000)
    assert "second output" not in card.card(model, plain, form="litert")


def test_tables_have_no_gaps(text: str) -> None:
    assert not re.search(r"\|\n\n\|(?!.*\n\| ---)", text)
    assert "{{" not in text and "{%" not in text


def test_a_rounded_model_of_images_in_groups_has_a_test_that_is_too_sure(
    model: Trained,
) -> None:
    data = model.record.data.model_copy(update={"test_groups": (3,) * 10})
    record = model.record.model_copy(update={"data": data})
    now = model.record.scores
    check = Fidelity(1000, 990, now, now, McNemar(2, 1, 1.0, True))
    told = card.card(replace(model, record=record), check, form="onnx-int8")
    limit = "intervals are too short, and McNemar's test p too small, where the images"
    assert told.count(escaped(limit)) == 1


def test_the_name_of_the_data_is_no_markdown(model: Trained) -> None:
    named = model.record.data.model_copy(update={"name": "__my__ <b>"})
    record = model.record.model_copy(update={"data": named})
    told = card.card(replace(model, record=record), PARITY, form="onnx")
    assert told.startswith(f"# {escaped('__my__ <b>')}: ")
    assert "__my__" not in told and "<b>" not in told.replace(r"\<b\>", "")


def test_what_was_told_of_the_data_stands_with_it(model: Trained, text: str) -> None:
    assert "class names)" in text and "groups and class names" not in text
    told = "by what (cat_[0-9]+) matches in their path."
    more = {"notes": ("One cut.", told), "test_groups": (3,) * 10}
    data = model.record.data.model_copy(update=more)
    record = model.record.model_copy(update={"data": data})
    written = card.card(replace(model, record=record), PARITY, form="onnx")
    assert f"`.\nOne cut.\n{escaped(told)}\n\n| class |" in written
    assert "labels, groups and class names" in written


def test_terms_are_those_of_the_data_or_the_users_own(model: Trained) -> None:
    assert "CC BY 4.0" in card.terms(Digits())
    assert "no licence" in card.terms(Cifar10())
    assert "--licence" in card.terms(Folder(path="x"))
    own = card.card(model, PARITY, form="onnx", licence="MIT, by us")
    assert "## Licence\n\nMIT, by us" in own


def test_the_scores_of_a_rounded_model_are_its_own(model: Trained) -> None:
    right = scores.from_confusion(np.diag([40] * 10), model.class_names)
    check = Fidelity(1000, 990, model.record.scores, right, McNemar(2, 1, 1.0, True))
    told = card.card(model, check, form="onnx-int8")
    assert "| file | `model-int8.onnx` |" in told and "second output" not in told
    assert "| accuracy | 100.0 % |" in told
    assert f"(the original {percent(model.record.scores.macro_f1)})" in told
    assert "2 are answered rightly by the original alone and 1 by this" in told


def test_a_class_with_a_comma_in_its_name_stays_one_class(model: Trained) -> None:
    names = ("zero, or none", *model.class_names[1:])
    matrix = np.diag([30] * 10)
    matrix[0, :2] = 4, 26
    record = model.record.model_copy(
        update={
            "data": model.record.data.model_copy(update={"class_names": names}),
            "scores": scores.from_confusion(matrix, names),
            "reduced_classes": (0, 1),
        }
    )
    told = card.card(replace(model, record=record), PARITY, form="onnx")
    assert 'a picture shows: "zero, or none", 1, 2' in told
    assert 'images of: "zero, or none" (13.3 %).' in told
    assert 'Rare in training: "zero, or none", 1.' in told


def test_the_card_of_an_ensemble_is_of_all_its_trainings(
    model: Trained, pair: Ensemble, text: str
) -> None:
    told = card.card(pair, replace(PARITY, heatmap=None), form="onnx")
    both = "2 trainings, seeds 0 and 1, are in it and answer together"
    assert both in told and "answer together" not in text
    assert f"{2 * model.record.parameters:,} parameters" in told
    assert f"| accuracy | {percent(pair.record.scores.accuracy)} |" in told
    assert f"| calibration | inside. {pair.calibration} |" in told
    assert "Counts are of each of the 2 trainings" in told
    assert "do not\ncover other trainings (other seeds)." in told
    assert "cover another training (another seed)." in text
    assert "One training" not in told
    assert "Seed 0: Tessera " in told and "Seed 1: Tessera " in told
    assert "Seed 0" not in text


def test_the_scores_on_the_card_of_an_ensemble_have_intervals(pair: Ensemble) -> None:
    told = card.card(pair, replace(PARITY, heatmap=None), form="onnx")
    found = re.search(r"\| macro-F1 \| ([\d.]+) % \| ([\d.]+) to ([\d.]+) % \|", told)
    assert found is not None
    assert float(found[1]) == pytest.approx(100 * pair.record.scores.macro_f1, abs=0.05)
    assert float(found[2]) < float(found[1]) < float(found[3])
