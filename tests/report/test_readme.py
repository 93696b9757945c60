from tessera.report.readme import main, write_readme_table

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
    assert "The study says" not in text
