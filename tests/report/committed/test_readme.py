import shutil

import pytest

from tessera import files
from tessera.record import Record, StudyFolder
from tessera.report.committed.readme import main, write_readme_table

BEGIN, END = "<!-- results:begin -->", "<!-- results:end -->"


def test_only_what_stands_between_the_markers_changes(tmp_path, study_folder):
    readme = tmp_path / "README.md"
    readme.write_text(f"above\n{BEGIN}\nstale\n{END}\nbelow\n")
    write_readme_table(readme, study_folder)
    text = readme.read_text(encoding="utf-8")
    assert text.startswith(f"above\n{BEGIN}\n")
    assert text.endswith(f"{END}\nbelow\n")
    assert "stale" not in text
    assert "**Synthetic**" in text


def test_writing_twice_changes_nothing(tmp_path, study_folder):
    readme = tmp_path / "README.md"
    readme.write_text(f"{BEGIN}\n{END}\n")
    main([str(readme), str(study_folder)])
    once = readme.read_text(encoding="utf-8")
    main([str(readme), str(study_folder)])
    assert readme.read_text(encoding="utf-8") == once


def test_a_study_of_several_remedies_shows_its_ranking(tmp_path, many):
    readme = tmp_path / "README.md"
    readme.write_text(f"{BEGIN}\n{END}\n")
    write_readme_table(readme, many.folder.path)
    text = readme.read_text(encoding="utf-8")
    assert "take remedy-0" in text
    assert "The reference study says" not in text


def test_a_study_whose_runs_were_still_learning_says_so(tmp_path, study_folder):
    readme, late = tmp_path / "README.md", tmp_path / "late"
    readme.write_text(f"{BEGIN}\n{END}\n")
    shutil.copytree(study_folder, late)
    for path in late.rglob("record.json"):
        record = Record.model_validate_json(path.read_text(encoding="utf-8"))
        last = record.model_copy(update={"best_epoch": 3})
        files.write_text(path, last.model_dump_json())
    for folder, told in ((study_folder, 0), (late, 1)):
        write_readme_table(readme, folder)
        text = readme.read_text(encoding="utf-8")
        assert text.count("\n\nStill learning: the last of 3 epochs was the") == told


def test_a_claim_that_the_study_leaves_untested_is_told_from_one_that_tests_it(
    tmp_path, study, study_folder
):
    first, *others = study.record.verdicts
    untested = first.model_copy(update={"verdict": "not tested", "because": "Nobody."})
    tested = first.model_copy(update={"verdict": "supported", "because": "All do."})
    mine = study.record.model_copy(update={"verdicts": (untested, *others)})
    theirs = study.record.model_copy(update={"verdicts": (tested, untested)})
    for name, record in (("mine", mine), ("theirs", theirs)):
        folder = StudyFolder(shutil.copytree(study_folder, tmp_path / name))
        files.write_text(folder.study, record.model_dump_json())
    readme = tmp_path / "README.md"
    readme.write_text(f"{BEGIN}\n{END}\n")
    main([str(readme), str(tmp_path / "mine"), "--also", str(tmp_path / "theirs")])
    text = readme.read_text(encoding="utf-8")
    assert f"| {first.claim} | **supported** | In `theirs`: All do. |" in text
    assert all(f"| {v.claim} | **{v.verdict}** | {v.because} |" in text for v in others)
    assert "\n`theirs`: Tessera" in text
    assert text.count("The reference study says") == 1


def test_without_a_study_the_usage_is_told():
    with pytest.raises(SystemExit, match=r"usage: .*--also"):
        main(["README.md", "--also", "results/other"])
