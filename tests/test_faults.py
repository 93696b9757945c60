"""A fault is told in the words of an experiment file, not of a library."""

import pytest

from tessera import settings


def fault(*overrides: str) -> str:
    with pytest.raises(settings.ExperimentError) as caught:
        settings.read(None, overrides)
    return str(caught.value).split("settings:\n  ")[1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("training.flip=False", "expected true or false, in small letters"),
        ("training.epochs=8.5", "expected a whole number. Received: 8.5"),
        ("training.learning_rate=fast", "expected a number. Received: 'fast'"),
        ("seeds=[]", "expected a list of at least 1. Received: []"),
        ("models=3", "expected a list. Received: 3"),
        ("name=a b", "expected letters, digits, dots, dashes"),
        ("models.0.name=CNN", "expected small letters, digits, dots, dashes"),
        ("training=3", "expected a section of settings. Received: 3"),
    ],
)
def test_what_was_expected_is_said_as_a_user_would(change: str, said: str) -> None:
    found = fault(change)
    assert found.startswith(f"{change.partition('=')[0]}: {said}")


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        ("regimes.1.remedy.loss=focal", "cross-entropy, focal, ldam, "),
        ("regimes.1.profile=natural", "natural, balanced, reduced, "),
        ("regimes.1.profile={}", "natural, balanced, reduced, "),
        ("data=digits", "digits, cifar10, folder. Received"),
        ('models=["cnn"]', "cnn, transformer, hybrid, hybrid-plus. Received"),
    ],
)
def test_what_must_be_a_section_with_a_kind_lists_the_kinds(
    change: str, kinds: str
) -> None:
    found = fault(change)
    assert 'expected a section such as {kind = "' in found
    assert f"its kind one of {kinds}" in found


@pytest.mark.parametrize("kind", ["digits", "cifar10"])
@pytest.mark.parametrize("setting", ["groups", "columns", "folds"])
def test_what_only_images_in_files_have_is_told_to_who_names_other_data(
    kind: str, setting: str
) -> None:
    found = fault(f'data={{kind = "{kind}", {setting} = "folder"}}')
    assert found == (
        f"data.{setting}: expected as data an image folder, or a CSV file that lists "
        f"images; only these have `{setting}`. Received: data of kind '{kind}'. Name "
        f"the folder or the file as the data, or leave `{setting}` out."
    )
