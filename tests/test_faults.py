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


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ('regimes.1.profile={kind="fractions"}', "profile.fractions: expected a value"),
        (
            'regimes.1.profile={kind="fractions",fractions={a=2}}',
            "profile.fractions.a: expected a number of at most 1.0",
        ),
        (
            'regimes.1.remedy.sampling={kind="power",power=2}',
            "remedy.sampling.power: expected a number below 1.0",
        ),
    ],
)
def test_a_key_that_is_called_as_its_sections_kind_stands_once_in_the_place(
    change: str, place: str
) -> None:
    assert fault(change).startswith(f"regimes.1.{place}")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (["models.0.training.epochs=5"], "epochs: unknown key (expected one of learn"),
        (
            ["regimes.1.remedy.kind=mixup", "regimes.1.remedy.alpha=0.2"],
            "alpha: unknown key (expected one of loss, weights, sampling, deferred",
        ),
        (
            ["regimes.1.remedy.kind=ldam-drw", "regimes.1.remedy.defered=0.2"],
            "defered: unknown key (did you mean 'deferred'?)",
        ),
    ],
)
def test_an_unknown_key_is_told_the_keys_of_its_own_section(
    changes: list[str], said: str
) -> None:
    assert said in fault(*changes)


def test_a_fault_of_a_whole_section_is_told_once() -> None:
    found = fault('data={kind="folder",path="photos",folds=3,fold=4}')
    assert found == "data.fold: expected one of the 3, from 1. Received: 4."
    assert fault("seeds=[1,1]").startswith("seeds: expected numbers that differ. Rec")


def test_the_hash_of_weights_is_told_as_what_it_is() -> None:
    found = fault('models.0.start={run="a",sha256="12"}')
    assert "sha256: expected 64 of the digits 0 to 9 and a to f. Rec" in found
