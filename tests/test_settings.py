"""Experiment files: what is right round-trips, what is wrong is named."""

import hashlib
import tomllib
from pathlib import Path

import pytest

from tessera import settings
from tessera.catalogue import catalogue, named
from tessera.experiment import Experiment, Exponential
from tessera.record import RunFolder
from tessera.remedies import Remedy
from tessera.settings import ExperimentError


def fault(*overrides: str) -> str:
    with pytest.raises(settings.ExperimentError) as caught:
        settings.read(None, overrides)
    return str(caught.value)


def test_an_experiment_survives_the_trip_through_toml() -> None:
    experiment = settings.read(None, ["training.epochs=40", "models.2.depth=2"])
    again = settings.build(tomllib.loads(settings.dumps(experiment)))
    assert again == experiment


def test_a_list_of_all_settings_shows_absent_ones_as_comments_of_their_section() -> (
    None
):
    experiment = settings.read(None, ['models=[{kind="cnn",name="mine"}]'])
    text = settings.listed(experiment)
    assert tomllib.loads(text) == tomllib.loads(settings.dumps(experiment))
    section = text.split("[training]")[1].split("[explain]")[0]
    assert "\n# patience = (none)\n" in section
    model = text.split("[[models]]")[1].split("[[regimes]]")[0]
    assert "\n# training = (none)\n" in model and '\nname = "mine"\n' in model


@pytest.mark.parametrize("name", catalogue())
def test_the_parts_that_are_listed_of_a_remedy_make_the_remedy(name: str) -> None:
    parts = tomllib.loads(settings.listed_remedy(named(name)))
    assert Remedy(**parts["regimes"]["remedy"]) == named(name)


def test_the_defaults_are_the_seed_studys() -> None:
    training = Experiment().training
    assert (training.learning_rate, training.batch_size) == (0.001, 128)
    assert (training.epochs, training.flip, training.crop_padding) == (8, True, 4)


def test_an_override_changes_one_value_and_keeps_the_others() -> None:
    changed = settings.read(None, ["regimes.1.profile.fraction=0.1"])
    assert changed.regimes[1].profile.fraction == 0.1  # type: ignore[union-attr]
    assert changed.regimes[2] == Experiment().regimes[2]


@pytest.mark.parametrize("regime", [1, 2])  # without a remedy, with class weights
@pytest.mark.parametrize("name", ["ldam-drw", "mixup", "crt"])
def test_a_remedy_may_be_named_by_its_kind(regime: int, name: str) -> None:
    changed = settings.read(None, [f"regimes.{regime}.remedy.kind={name}"])
    assert changed.regimes[regime].remedy == named(name)


@pytest.mark.parametrize("first", [0, 1])
def test_a_part_of_a_named_remedy_may_be_replaced_in_either_order(first: int) -> None:
    given = ["regimes.2.remedy.kind=ldam-drw", "regimes.2.remedy.deferred=0.6"]
    changed = settings.read(None, [given[first], given[1 - first]])
    expected = named("ldam-drw").model_copy(update={"deferred": 0.6})
    assert changed.regimes[2].remedy == expected


@pytest.mark.parametrize("first", [0, 1])
def test_a_profile_of_another_kind_keeps_its_selection_alone(first: int) -> None:
    given = ["regimes.1.profile.kind=exponential", "regimes.1.profile.factor=50"]
    how = 'regimes.1.profile.selection="reference"'
    changed = settings.read(None, [how, given[first], given[1 - first]])
    expected = Exponential(factor=50, selection="reference")
    assert changed.regimes[1].profile == expected


def test_two_profiles_are_compared_under_different_names_or_not_at_all() -> None:
    def comparison(*prefixes: str) -> settings.Table:
        compare = [
            {
                "profile": {"kind": "step", "factor": factor},
                "remedies": ["crt"],
                "prefix": prefix,
            }
            for factor, prefix in zip((2.0, 50.0), prefixes, strict=True)
        ]
        return {"compare": compare}

    names = [r.name for r in settings.build(comparison("mild-", "")).regimes]
    assert names == ["balanced", "mild-plain", "mild-crt", "plain", "crt"]
    with pytest.raises(settings.ExperimentError, match="two for the regime 'plain'"):
        settings.build(comparison("", ""))


def test_an_unquoted_text_value_is_text() -> None:
    assert settings.read(None, ["name=mine"]).name == "mine"


def test_an_unknown_key_is_an_error_with_the_likely_one() -> None:
    message = fault("training.epoch=3")
    assert "training.epoch: unknown key (did you mean 'epochs'?)" in message
    assert "Received: 3" in message


def test_an_unknown_kind_lists_the_known_ones() -> None:
    message = fault("regimes.0.profile.kind=odd")
    assert "regimes.0.profile.kind: expected one of 'natural', 'balanced'" in message
    assert "Received: 'odd'" in message


def test_a_value_out_of_range_names_path_range_and_value() -> None:
    message = fault("training.epochs=0")
    assert "training.epochs: expected a number of at least 1" in message
    assert "Received: 0" in message


def test_a_text_is_not_silently_read_as_a_number() -> None:
    assert "training.epochs" in fault('training.epochs="8"')


def test_the_path_of_a_fault_has_no_tag_that_the_file_does_not_have() -> None:
    assert "models.2.deph: unknown key" in fault("models.2.deph=1")


@pytest.mark.parametrize(
    ("model", "width"),
    [
        ('{kind="transformer",heads=3}', 128),
        ('{kind="transformer",width=129}', 129),
        ('{kind="hybrid",depth=1,heads=3}', 128),
        ('{kind="hybrid-plus",heads=5}', 72),
        ('{kind="hybrid-plus",widths=[36,70]}', 70),
    ],
)
def test_heads_that_do_not_divide_the_width_are_refused(model: str, width: int) -> None:
    said = fault(f"models=[{model}]")
    assert f"models.0.heads: expected a number that divides the width {width}." in said


def test_a_hybrid_without_attention_may_have_any_heads_and_width() -> None:
    assert settings.read(None, ["models.2.width=129"]).models[2].width == 129  # type: ignore[union-attr]
    plus = '{kind="hybrid-plus",depth=0,widths=[7,9]}'
    assert settings.read(None, [f"models=[{plus}]"]).models[0].depth == 0  # type: ignore[union-attr]


def test_a_stage_without_channels_is_refused() -> None:
    assert "widths.0: expected" in fault('models=[{kind="hybrid-plus",widths=[0,72]}]')


def test_equal_names_are_refused() -> None:
    said = fault("seeds=[1, 1, 2]")
    assert "seeds: expected numbers that differ. Received more than once: 1." in said
    said = fault('models=[{kind="cnn"},{kind="cnn"}]')
    assert "models: expected names that differ. Received more than once: cnn." in said


def test_patience_without_a_score_to_wait_for_is_refused() -> None:
    kept = 'models=[{kind="cnn",training={monitor="last_epoch"}}]'
    said = fault("training.patience=3", kept)
    assert "last_epoch, of cnn, which waits for no score. Received: 3" in said
    assert settings.read(None, [kept]).training.monitor == "val_balanced_accuracy"


def test_the_mark_that_some_editors_put_in_front_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "e.toml").write_text('name = "mine"', encoding="utf-8-sig")
    assert settings.read(tmp_path / "e.toml").name == "mine"


def test_an_index_beyond_the_list_is_named() -> None:
    assert "expected an index from 0 to 2" in fault("models.7.depth=1")


@pytest.mark.parametrize("text", ["epochs", "=3", ".epochs=3"])
def test_a_malformed_override_shows_an_example(text: str) -> None:
    assert "expected section.key=value" in fault(text)


def test_a_missing_file_and_a_file_that_is_not_toml_are_named(tmp_path: Path) -> None:
    message = r"absent\.toml: expected .*Received: no such file\. `tessera config`"
    with pytest.raises(settings.ExperimentError, match=message):
        settings.read(tmp_path / "absent.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("name = ")
    with pytest.raises(settings.ExperimentError, match="expected TOML"):
        settings.read(broken)


def test_images_in_the_place_of_an_experiment_are_told_their_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("my photos").mkdir()
    for name, received, option in (
        ("my photos", "a folder", "--data 'my photos'"),
        ("cifar10", "no such file", "--data cifar10"),
    ):
        message = f"Received: {received}. Images are given as `{option}`"
        with pytest.raises(settings.ExperimentError, match=message):
            settings.read(Path(name))


def test_a_folder_with_an_experiment_names_it(tmp_path: Path) -> None:
    (tmp_path / "experiment.toml").write_text("")
    with pytest.raises(settings.ExperimentError, match=r"There is .*experiment\.toml"):
        settings.read(tmp_path)


@pytest.mark.parametrize("path", sorted(Path("experiments").glob("*.toml")), ids=str)
def test_every_shipped_experiment_is_valid(path: Path) -> None:
    assert settings.read(path).runs()
    head = path.read_text().splitlines()[:8]
    for word in ("# Question:", "# Run:", "# Cost:", "# Result:"):
        assert any(line.startswith(word) for line in head), word


ENDLESS = {
    "lists in lists": "a = " + "[" * 5000,
    "sections in sections": "a" + ".a" * 5000 + " = 1",
    "digits": "seeds = [" + "9" * 5000 + "]",
}


@pytest.mark.parametrize("text", ENDLESS.values(), ids=ENDLESS)
def test_a_file_without_end_is_an_error_that_names_it(tmp_path, text) -> None:
    (tmp_path / "e.toml").write_text(text)
    with pytest.raises(settings.ExperimentError, match=r"e\.toml"):
        settings.read(tmp_path / "e.toml")


def test_a_file_larger_than_any_experiment_is_not_read_to_its_end(tmp_path) -> None:
    (tmp_path / "e.toml").write_text("# " + "x" * 2**20)
    for path in (tmp_path / "e.toml", Path("/dev/zero")):
        if path.exists():
            with pytest.raises(settings.ExperimentError, match="1,048,576 bytes"):
                settings.read(path)


def starting_from(run: object) -> dict[str, object]:
    return {"models": [{"kind": "hybrid", "start": {"run": str(run)}}]}


def test_weights_to_start_from_are_those_that_lie_there(toy: RunFolder) -> None:
    found = settings.build(starting_from(toy.path)).models[0].start
    assert found is not None
    content = toy.weights.read_bytes()
    assert found.sha256 == hashlib.sha256(content).hexdigest()


def test_a_start_that_says_its_weights_needs_no_run_to_be_read(toy: RunFolder) -> None:
    experiment = settings.build(starting_from(toy.path))
    elsewhere = settings.dumps(experiment).replace(str(toy.path), "gone")
    assert settings.build(tomllib.loads(elsewhere)).models[0].start.run == "gone"


def test_a_start_without_weights_is_named_with_its_place(tmp_path: Path) -> None:
    said = r"models\.0\.start\.run: expected the folder of a finished run.*no such file"
    with pytest.raises(ExperimentError, match=said):
        settings.build(starting_from(tmp_path / "gone"))


@pytest.mark.parametrize("start", ["runs/a", {"run": 3}, {}, {"place": "x"}])
def test_a_start_of_another_form_is_an_error(start: object) -> None:
    with pytest.raises(ExperimentError, match=r"models\.0\.start"):
        settings.build({"models": [{"kind": "hybrid", "start": start}]})


@pytest.mark.parametrize("number", ["inf", "-inf", "nan", "1e400"])
def test_what_is_no_finite_number_is_an_error(number: str) -> None:
    for key in ("training.learning_rate", "regimes.1.profile.fraction"):
        assert f"{key}: expected" in fault(f"{key}={number}")
    with pytest.raises(settings.ExperimentError, match="factor: expected a finite"):
        settings.read(None, ['regimes=[{name="x", profile={kind="step", factor=inf}}]'])


@pytest.mark.parametrize(
    "key", ["epochs", "batch_size", "crop_padding", "cutout", "zoom"]
)
def test_a_slip_of_the_hand_is_an_error_before_it_overflows(key: str) -> None:
    bound = f"training.{key}: expected a number of at most"
    assert bound in fault(f"training.{key}={10**20}")
    own = f'models=[{{kind="cnn", training={{{key}={10**20}}}}}]'
    assert f"models.0.training.{key}" in fault(own)


def test_an_override_without_end_is_an_error_too() -> None:
    with pytest.raises(settings.ExperimentError, match="training"):
        settings.read(None, ["training=" + "[" * 5000])
    with pytest.raises(settings.ExperimentError, match="expected an index"):
        settings.read(None, ["models.²=1"])
    with pytest.raises(settings.ExperimentError, match="expected an index"):
        settings.read(None, ["models." + "9" * 5000 + "=1"])


def test_a_seed_that_no_framework_takes_is_an_error() -> None:
    assert settings.read(None, ["seeds=[4294967295]"]).seeds == (2**32 - 1,)
    with pytest.raises(settings.ExperimentError, match="at most 4294967295"):
        settings.read(None, ["seeds=[4294967296]"])
