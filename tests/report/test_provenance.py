"""A number's origin is what its run was computed with, not who counted it up."""

from evaluation.studies import ENVIRONMENT

from tessera.experiment import Cnn, Experiment, HybridPlus, OwnTraining, Start, Training
from tessera.record import ComputedWith, StudyRecord
from tessera.report import provenance

LATER = ENVIRONMENT.model_copy(update={"commit": "f" * 40, "dirty": True})


def made(record: StudyRecord, *runs: tuple[object, int]) -> StudyRecord:
    trained = tuple(ComputedWith(environment=env, runs=n) for env, n in runs)
    return record.model_copy(update={"trained": trained})


def test_it_names_versions_device_and_data(study):
    line = provenance.line(study.record)
    assert line == (
        "Tessera 0.1.0 (commit `0123456789ab`); Python 3.11.9, keras 3.15.1; "
        "A processor, 2 threads; data SHA-256 `ffffffffffff`."
    )


def test_runs_of_two_commits_are_told_apart_and_what_they_share_is_said_once(study):
    line = provenance.line(made(study.record, (ENVIRONMENT, 12), (LATER, 1)))
    assert line.startswith(
        "Tessera 0.1.0 (commit `0123456789ab`) for 12 runs and Tessera 0.1.0 "
        "(commit `ffffffffffff`, with uncommitted changes) for 1 run; "
        "Python 3.11.9, keras 3.15.1; A processor, 2 threads;"
    )


def test_who_concluded_a_study_is_told_only_where_no_other_trained_it(study):
    record = made(study.record, (ENVIRONMENT, 12))
    assert "Concluded by" not in dict(provenance.rows(record))
    later = record.model_copy(update={"environment": LATER})
    rows = dict(provenance.rows(later))
    assert rows["Tessera"] == "Tessera 0.1.0 (commit 0123456789ab)"
    assert rows["Concluded by"].startswith("Tessera 0.1.0 (commit ffffffffffff")


def test_a_record_of_an_earlier_version_has_the_studys_own(study):
    record = study.record.model_copy(update={"trained": ()})
    assert provenance.line(record) == provenance.line(study.record)


def test_a_model_that_starts_from_a_run_is_not_trained_as_the_others_are():
    start = Start(run="runs/larger", sha256="ab" * 32)
    asked = Experiment(models=(Cnn(), Cnn(name="cnn-started", start=start)))
    assert not provenance.same_training(asked)
    told = dict(provenance.settings(asked))["cnn-started instead"]
    assert told == "start: the weights of runs/larger (SHA-256 abababababab)"


def test_the_settings_are_those_of_the_training():
    training = Training(
        optimizer="muon",
        schedule="one-cycle",
        learning_rate=0.02,
        weight_decay=0.5,
        crop_padding=0,
        flip=False,
        cutout=8,
        rotation=15,
        zoom=0.2,
        colour=0.3,
        label_smoothing=0.1,
        precision="bfloat16",
    )
    rows = dict(provenance.settings(Experiment(training=training)))
    optimiser = "Muon, one-cycle learning rate 0.02, weight decay 0.5"
    assert rows["Optimiser"] == optimiser
    assert (rows["Random flip"], rows["Random crop"]) == ("none", "none")
    assert (rows["Cutout"], rows["Label smoothing"]) == ("8 pixels", "0.1")
    varied = [rows[f"Random {what}"] for what in ("turns", "zoom", "colours")]
    by = "by up to"
    assert varied == [f"{by} 15 degrees", f"{by} 1.2 times", "changed by up to 30%"]
    assert rows["Precision"] == "bfloat16" and "Patience" not in rows


def test_a_model_with_a_recipe_of_its_own_is_not_trained_as_the_others():
    plain = Experiment(models=(Cnn(),))
    mixed = Experiment(models=(Cnn(), HybridPlus()))
    assert provenance.same_training(plain)
    assert not any("instead" in name for name, _ in provenance.settings(plain))
    assert not provenance.same_training(mixed)
    own = dict(provenance.settings(mixed))["hybrid-plus instead"]
    assert own == (
        "batch size: 256; optimiser: Muon, one-cycle learning rate 0.01, weight decay "
        "0.5; random flip: horizontal, every other epoch; random crop: 2-pixel padding "
        "(mirror), random crop; label smoothing: 0.1"
    )


def test_what_a_model_leaves_out_is_told_and_what_it_repeats_is_not():
    common = Training(cutout=8)
    without = Cnn(training=OwnTraining(cutout=0))
    same = Cnn(name="same", training=OwnTraining(cutout=8))
    experiment = Experiment(models=(without, same), training=common)
    rows = dict(provenance.settings(experiment))
    assert rows["cnn instead"] == "cutout: none"
    assert "same instead" not in rows
    assert provenance.same_training(Experiment(models=(same,), training=common))


def test_a_single_core_is_one_core(study):
    lone = study.record.environment.model_copy(update={"cores": 1})
    record = study.record.model_copy(update={"environment": lone, "trained": ()})
    assert (
        "; 1 core, 2 threads per training;" in dict(provenance.rows(record))["Device"]
    )


def test_what_decides_which_epochs_weights_are_kept_is_told():
    by_loss = Experiment(training=Training(monitor="val_loss"))
    told = dict(provenance.settings(by_loss))["Weights kept"]
    assert told == "of the epoch with the best val_loss"
    last = Cnn(training=OwnTraining(monitor="last_epoch"))
    instead = dict(provenance.settings(Experiment(models=(last,))))["cnn instead"]
    assert instead == "weights kept: of the last epoch"
