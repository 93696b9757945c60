"""What the page shows is the run's own: facts, pictures, answers."""

import base64
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import toy_run
from PIL import Image

from tessera import files
from tessera.data.decode import Unreadable
from tessera.evaluation import scores
from tessera.record import RunFolder
from tessera.serve import site
from tessera.serve.site import Site
from tessera.trained import Trained


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))


def of_url(url: str) -> np.ndarray:
    return pixels(base64.b64decode(url.removeprefix("data:image/png;base64,")))


def test_every_class_has_examples_of_that_class(built: Site) -> None:
    data = toy_run.digits().train
    for label, pictures in enumerate(built.examples):
        assert len(pictures) == site.EXAMPLES
        own = {image.tobytes() for image in data.images[data.labels == label]}
        assert all(pixels(picture).tobytes() in own for picture in pictures)


def test_without_the_data_the_runs_explained_images_are_shown(
    model: Trained, tmp_path: Path
) -> None:
    moved = model.record.data.model_copy(update={"fingerprint": "0" * 64})
    gone = replace(
        model,
        record=model.record.model_copy(update={"data": moved}),
        folder=RunFolder(tmp_path),
    )
    assert len(site.example_images(gone)[0]) == 0
    test = toy_run.digits().test
    files.write_arrays(
        gone.folder.heatmaps, images=test.images[:3], labels=test.labels[:3]
    )
    images, labels = site.example_images(gone)
    np.testing.assert_array_equal(images, test.images[:3])
    np.testing.assert_array_equal(labels, test.labels[:3])


def test_the_facts_are_the_records(built: Site, model: Trained) -> None:
    own = model.record.scores
    for facts, score in zip(built.model.classes, own.per_class, strict=True):
        assert (facts.name, facts.recall) == (score.name, score.recall)
        assert facts.recall_interval[0] <= score.recall <= facts.recall_interval[1]
        if score.name in own.never_predicted:
            assert facts.precision is None and facts.precision_interval is None
            continue
        assert facts.precision == score.precision
        low, high = facts.precision_interval
        assert low <= score.precision <= high
    assert built.model.accuracy == own.accuracy
    assert built.model.calibration == model.calibration
    assert any(
        "always names one of its classes" in limit for limit in built.model.limits
    )


def test_a_class_that_was_never_predicted_has_no_precision(model: Trained) -> None:
    matrix = np.diag([30] * 9 + [0])
    matrix[9, 0] = 30
    scored = scores.from_confusion(matrix, model.class_names)
    record = model.record.model_copy(update={"scores": scored})
    never, half = (site.class_facts(record, label, 6) for label in (9, 0))
    assert (never.recall, never.precision, never.precision_interval) == (0, None, None)
    assert (half.recall, half.precision) == (1, 0.5)


def test_an_answer_is_the_models_most_probable_first(
    built: Site, model: Trained, digit: bytes
) -> None:
    found = site.answer(built, digit, None, None)
    image = toy_run.digits().test.images[:1]
    expected = np.sort(model.probabilities(image)[0])[::-1]
    np.testing.assert_allclose([a.probability for a in found.answers], expected)
    assert found.heatmap is None
    np.testing.assert_array_equal(of_url(found.seen), image[0])
    assert found.branches is not None


def test_a_heatmap_is_transparent_where_there_is_no_evidence(
    built: Site, digit: bytes
) -> None:
    found = site.answer(built, digit, "gradcam", 4).heatmap
    assert found is not None and found.target == "4"
    assert np.shape(found.values) == (4, 4)
    drawn = site.drawn(np.array([[1.0, -1.0], [-1.0, -1.0]], np.float32))
    alpha = pixels(drawn)[..., 3]
    assert alpha[0, 0] == 255 and alpha[-1, -1] == 0


def test_a_file_with_too_many_pixels_is_refused_before_decoding(built: Site) -> None:
    file = io.BytesIO()
    Image.new("1", (6000, 6000)).save(file, "PNG")
    with pytest.raises(Unreadable, match="6000 x 6000 pixels are more than"):
        site.answer(built, file.getvalue(), None, None)


def test_the_report_of_the_runs_study_is_found(model: Trained, tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "runs" / "cell" / "seed-0")
    inside = replace(model, folder=run)
    run.path.mkdir(parents=True)
    assert site.find_report(inside) is None
    (tmp_path / "report.html").write_text("<p>report")
    assert site.find_report(inside) is None
    (tmp_path / "study.json").write_text(json.dumps({}))
    assert site.find_report(inside) == (tmp_path / "report.html").resolve()
