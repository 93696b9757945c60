"""A CSV file names images, their classes and perhaps their splits and groups."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tessera import settings
from tessera.columns import Columns
from tessera.data import folder, table
from tessera.data.dataset import DataError, Dataset
from tessera.experiment import Folder

PATIENTS = ["p1", "p1", "p2", "p3", "p4", "p4", "p5", "p6", "p7", "p8"]


@pytest.fixture
def write(tmp_path, make_image):
    """Ten flat images, the first six of cats; and a list of them in given words."""
    for n in range(10):
        make_image(f"{n}.png")

    def rows(*lines: str, name: str = "labels.csv", encoding: str = "utf-8") -> Path:
        path = tmp_path / "images" / name
        path.write_text("\n".join(lines) + "\n", encoding=encoding)
        return path

    return rows


def label(n: int) -> str:
    return "cat" if n < 6 else "dog"


def load(path: Path, **changes) -> Dataset:
    return folder.load(Folder(path=str(path), **({"image_size": 8} | changes)))


def test_images_have_the_classes_of_the_list_and_the_data_its_folders_name(
    write,
) -> None:
    data = load(write("label,file", *(f"{label(n)},{n}.png" for n in range(10))))
    assert (data.name, data.class_names) == ("images", ("cat", "dog"))
    for split in data.splits().values():
        assert [data.class_names[k] for k in split.labels] == [
            label(int(name.removesuffix(".png"))) for name in split.names
        ]
    assert data.notes[0].startswith("labels.csv names no test images: 2 of the 10")


def test_a_list_and_folders_of_the_same_images_are_the_same_data(
    write, make_image, class_folder, tmp_path
) -> None:
    files = sorted(class_folder.glob("[cd]*/*.png"))
    names = [file.relative_to(class_folder).as_posix() for file in files]
    path = write("file,label", *(f"{n},{n.partition('/')[0]}" for n in names))
    for n in range(10):
        (class_folder / f"{n}.png").unlink()
    assert load(path).fingerprint == load(class_folder).fingerprint


def test_splits_are_those_of_the_list_by_any_of_their_names(write) -> None:
    splits = ["train"] * 4 + ["Validation"] + ["test"] + ["train"] * 2 + ["val", "TEST"]
    data = load(
        write(
            "file,label,split",
            *(f"{n}.png,{label(n)},{splits[n]}" for n in range(10)),
        )
    )
    assert data.train.names == tuple(f"{n}.png" for n in (0, 1, 2, 3, 6, 7))
    assert data.test.names == ("5.png", "9.png")
    assert data.validation is not None and data.validation.names == ("4.png", "8.png")
    assert data.notes == ()


def test_groups_are_those_of_the_list_unless_a_rule_says_otherwise(write) -> None:
    path = write(
        "file,label,group",
        *(f"{n}.png,{label(n)},{PATIENTS[n]}" for n in range(10)),
    )
    data = load(path)
    assert data.train.groups is not None and data.test.groups is not None
    assert not set(data.train.groups) & set(data.test.groups)
    assert {*data.train.groups, *data.test.groups} == set(PATIENTS)
    assert set(load(path, groups="^([0-9])").train.groups or ()) < set("0123456789")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_columns_may_have_other_names_and_separators_and_files_no_suffix(
    write, separator: str
) -> None:
    lines = (f"{n}|x|{label(n)}" for n in range(10))
    path = write(
        *(line.replace("|", separator) for line in ("image_id|age|dx", *lines)),
        encoding="utf-8-sig",
    )
    data = load(path, columns=Columns(file="image_id", label="dx"))
    assert {*data.train.names, *data.test.names} == {f"{n}.png" for n in range(10)}


def test_what_stands_between_columns_is_read_from_the_first_line_alone(write) -> None:
    rows = (f"{n}.png;{label(n)}, tame, old, ill" for n in range(10))
    found = table.scan(write("file;label", *rows), Columns())
    assert found.class_names == ("cat, tame, old, ill", "dog, tame, old, ill")


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_lines_end_as_on_windows_or_on_an_old_mac(write, end: str) -> None:
    path = write()
    path.write_bytes(end.join(["file,label", "0.png,cat", "9.png,dog"]).encode())
    found = table.scan(path, Columns())
    assert [(f.path, f.label) for f in found.files] == [
        ("0.png", "cat"),
        ("9.png", "dog"),
    ]


def test_a_file_is_a_list_by_its_suffix_and_only_where_there_is_one(tmp_path) -> None:
    (tmp_path / "folder.csv").mkdir()
    for name in ("list.csv", "LIST.CSV", "photo.png"):
        (tmp_path / name).touch()
    names = ("list.csv", "LIST.CSV", "photo.png", "folder.csv", "absent.csv")
    found = [table.is_list(tmp_path / name) for name in names]
    assert found == [True, True, False, False, False]


def test_an_image_that_was_exchanged_is_read_anew(write, make_image, tmp_path) -> None:
    path = write("file,label", *(f"{n}.png,{label(n)}" for n in range(10)))
    before = load(path).fingerprint
    file = next(f for f in table.scan(path, Columns()).files if f.path == "3.png")
    assert file.size == (tmp_path / "images" / "3.png").stat().st_size
    make_image("3.png")
    assert load(path).fingerprint != before


def test_a_class_that_only_test_images_have_is_not_one_to_learn(write) -> None:
    splits = ["cat,train", "dog,train", "cat,test", "dog,test", "owl,test"]
    path = write("file,label,split", *(f"{n}.png,{s}" for n, s in enumerate(splits)))
    found = table.scan(path, Columns())
    assert found.classes == {"train": ("cat", "dog"), "test": ("cat", "dog", "owl")}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize(
    ("declaration", "separator"),
    [("sep=;", ";"), ("sep=,", ","), ('"sep=|"', "|"), ("SEP=\t", "\t")],
)
def test_excels_line_that_says_the_separator_is_read(
    write, encoding: str, declaration: str, separator: str
) -> None:
    heading = f"file{separator}label{separator}a;b,c|d,e"
    rows = [f"{n}.png{separator}{label(n)}" for n in range(10)]
    path = write(declaration, heading, *rows, "no.png", encoding=encoding)
    found = table.scan(path, Columns())
    assert [(file.path, file.label) for file in found.files] == [
        (f"{n}.png", label(n)) for n in range(10)
    ]
    assert [one.path for one in found.refused] == ["line 13: no.png"]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["image,label", "0.png,cat"], r"names `file` in .*Received: image, label\."),
        (["a,b", "0.png,cat"], r"`file` and `label` .*data\.columns\.file=NAME"),
        ([""], "Received: an empty line"),
        (["sep=;"], "Received: an empty line"),
        (["sep=;;", "file;label"], "Received: sep="),
        (
            ["file,label,split", "0.png,cat,trian"],
            r"labels.csv, line 2: .*Received: trian",
        ),
        (["file,label", "0.png,cat"], r"two classes to learn from\. Received: cat\."),
        (["file,label", "no.png,cat"], r"none; not used: line 2: no.png \(no such"),
        (
            ["file,label,split", "0.png,cat,train", "1.png,dog,"],
            r"split of every.*none of: 1\.png\.",
        ),
        (["file,label,split", "0.png,cat,test", "9.png,dog,test"], "to learn from"),
        (["file,label", '"0.png,cat'], "two classes|CSV"),
        (
            ["file,label", "0.png,cat,,", "1.png,dog, black"],
            r"line 3: 3 cells, and 2 names of columns .* in quotes",
        ),
    ],
)
def test_a_list_that_will_not_do_is_refused_with_the_way_out(
    write, lines: list[str], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        table.scan(write(*lines), Columns())


def test_a_column_that_was_asked_for_has_to_be_there(write) -> None:
    path = write("file,label", "0.png,cat", "9.png,dog")
    with pytest.raises(DataError, match=r"`patient` .*data\.columns\.group=NAME"):
        table.scan(path, Columns(group="patient"))
    assert table.scan(path, Columns()).files[0].group == ""


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_a_list_in_another_encoding_is_refused_with_what_to_save_it_as(
    write, encoding
) -> None:
    path = write("file,label", "0.png,kätzchen", encoding=encoding)
    with pytest.raises(DataError, match=r"CSV file in UTF-8.* Save it as UTF-8"):
        table.scan(path, Columns())


def test_a_list_without_end_is_not_read_to_it(write, monkeypatch) -> None:
    monkeypatch.setattr(table, "MOST_BYTES", 20)
    with pytest.raises(DataError, match="more than 20 bytes"):
        table.scan(write("file,label", "0.png,cat", "9.png,dog"), Columns())


def test_a_whole_path_may_come_by_a_link_to_the_lists_folder(write, tmp_path) -> None:
    linked = tmp_path / "linked"
    os.symlink(tmp_path / "images", linked)
    path = write("file,label", f"{linked}/0.png,cat", f"{linked}/9,dog")
    for root in (linked, path.parent):
        found = table.scan(root / path.name, Columns())
        assert [file.path for file in found.files] == ["0.png", "9.png"]


def test_a_column_whose_name_is_a_number_may_be_told_as_one(write) -> None:
    path = write("0,1", "0.png,cat", "9.png,dog")
    told = ["data.columns.file=0", "data.columns.label=1"]
    folder = {"kind": "folder", "path": str(path)}
    columns = settings.read(None, told, data=folder).data.columns
    assert columns == Columns(file="0", label="1")
    assert len(table.scan(path, columns).files) == 2


def test_lines_that_name_no_image_inside_are_set_aside_with_their_number(
    write, tmp_path
) -> None:
    outside = tmp_path / "outside.png"
    outside.write_bytes((tmp_path / "images" / "0.png").read_bytes())
    os.symlink(outside, tmp_path / "images" / "link.png")
    os.symlink(tmp_path / "images" / "8.png", tmp_path / "images" / "eight.png")
    os.symlink(tmp_path / "images", tmp_path / "round")
    (tmp_path / "images" / "folder").mkdir()
    path = write(
        *("file,label", "0.png,cat", "9.png,dog", "", "../outside.png,cat"),
        *("link.png,cat", f"{outside},cat", "1.png", "\0.png,cat", ",dog", "2.png, "),
        *("eight.png,dog", "folder,dog", "../round/0.png,dog", "3.png,\x07"),
    )
    found = table.scan(path, Columns())
    assert [file.path for file in found.files] == ["0.png", "9.png", "eight.png"]
    assert [(one.path, one.reason) for one in found.refused] == [
        ("line 5: ../outside.png", "no such file in the list's folder"),
        ("line 6: link.png", "no such file in the list's folder"),
        (f"line 7: {outside}", "no such file in the list's folder"),
        ("line 8: 1.png", "no class"),
        ("line 9: \\x00.png", "no such file in the list's folder"),
        ("line 10: no file", "no such file in the list's folder"),
        ("line 11: 2.png", "no class"),
        ("line 13: folder", "no such file in the list's folder"),
        ("line 14: ../round/0.png", "no such file in the list's folder"),
        ("line 15: 3.png", "a class that is no text"),
    ]


def test_folders_of_listed_images_are_groups_whatever_they_are_called(
    make_image, write
) -> None:
    for film in "abcdef":
        for n in range(2):
            make_image(f"{film}/{n}.png")
    rows = [
        f"{film}/{n}.png,{'cat' if film < 'd' else 'dog'}"
        for film in "abcdef"
        for n in (0, 1)
    ]
    path = write("file,label", *rows)
    assert any("images of" in note for note in load(path).notes[1:])
    whole = load(path, groups="folder")
    assert set(whole.train.groups or ()) | set(whole.test.groups or ()) == set("abcdef")
    assert not set(whole.train.groups or ()) & set(whole.test.groups or ())


def test_folders_that_the_lists_own_splits_part_are_the_users_matter(
    make_image, write
) -> None:
    rows = []
    for film, animal in zip("abcd", ("cat", "cat", "dog", "dog"), strict=True):
        for n in range(3):
            make_image(f"{film}/{n}.png")
            split = "test" if n == 0 else "train"
            rows.append(f"{film}/{n}.png,{animal},{split}")
    assert load(write("file,label,split", *rows)).notes == ()


def test_a_list_with_other_labels_or_groups_of_the_same_files_is_other_data(
    write, tmp_path
) -> None:
    alone = [f"{n}.png,{label(n)},p{n}" for n in range(10)]
    other = [f"{n}.png,{label(n)},q{n * 3 % 10}" for n in range(10)]
    fewer = [f"{n}.png,{label(n + 1)},p{n}" for n in range(10)]
    marks = set()
    for rows in (alone, other, fewer):
        data = load(write("file,label,group", *rows))
        marks.add(data.fingerprint)
        for split in (data.train, data.test):
            for image, name in zip(split.images, split.names or (), strict=True):
                stored = Image.open(tmp_path / "images" / name)
                np.testing.assert_array_equal(image, np.array(stored))
    assert len(marks) == 3


def test_a_name_alone_is_looked_for_in_the_folders_below(write, make_image) -> None:
    for path in ("part_1/ISIC_1.png", "part_2/ISIC_2.PNG", ".hidden/ISIC_3.png"):
        make_image(path)
    make_image("part_1/twice.png")
    make_image("part_2/twice.png")
    make_image("part_2/.out_of_sight.png")
    rows = (
        *("ISIC_1,cat", "ISIC_2,dog", "ISIC_3,dog", "twice,dog", "0,cat"),
        ".out_of_sight,dog",
    )
    found = table.scan(write("file,label", *rows), Columns())
    assert [f.path for f in found.files] == [
        "0.png",
        "part_1/ISIC_1.png",
        "part_2/ISIC_2.PNG",
    ]
    assert [(one.path, one.reason) for one in found.refused] == [
        ("line 4: ISIC_3", "no such file in the list's folder"),
        (
            "line 5: twice",
            "several files of that name: part_1/twice.png, part_2/twice.png",
        ),
        ("line 7: .out_of_sight", "no such file in the list's folder"),
    ]


def test_backslashes_of_windows_part_folders(write, make_image) -> None:
    make_image("img/x.png")
    rows = ("file;label", "img\\x.png;cat", ".\\img\\x;dog", "..\\outside;cat")
    found = table.scan(write(*rows), Columns())
    assert [file.path for file in found.files] == ["img/x.png", "img/x.png"]
    assert [one.path for one in found.refused] == ["line 4: ..\\outside"]


def test_a_picture_that_explains_an_image_is_not_taken_for_it(
    write, make_image
) -> None:
    for path in ("part/0a.png", "part/9a.png", "explanations/0a.png"):
        make_image(path)
    path = write("file,label", "0a,cat", "9a.png,dog")
    for beside in ("explanations/0a.npz", "part/9a.npz"):
        (path.parent / beside).touch()
    found = table.scan(path, Columns())
    assert [file.path for file in found.files] == ["part/0a.png", "part/9a.png"]


def test_a_file_that_goes_while_its_list_is_read_is_set_aside(
    write, monkeypatch
) -> None:
    monkeypatch.setattr(table._Places, "of", lambda _, name: [name])
    found = table.scan(write("file,label", "0.png,a", "gone,a", "9.png,b"), Columns())
    assert [file.path for file in found.files] == ["0.png", "9.png"]
    assert [(one.path, one.reason) for one in found.refused] == [
        ("line 3: gone", "No such file or directory")
    ]


def test_a_folder_that_a_link_leads_out_by_is_not_entered(write, tmp_path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "images" / "9.png").rename(outside / "9.png")
    os.symlink(outside, tmp_path / "images" / "linked")
    rows = ("0.png,cat", "1.png,dog", "linked/9.png,dog", "9,dog")
    found = table.scan(write("file,label", *rows), Columns())
    assert [one.path for one in found.refused] == [
        "line 4: linked/9.png",
        "line 5: 9",
    ]


def test_a_line_that_says_what_another_said_counts_once_and_is_told(write) -> None:
    path = write("file,label", "0.png,cat", "9.png,dog", "0.png, cat ", "0.png,dog")
    found = table.scan(path, Columns())
    assert [(f.path, f.label) for f in found.files] == [
        *(("0.png", "cat"), ("0.png", "dog"), ("9.png", "dog")),
    ]
    assert [(one.path, one.reason) for one in found.refused] == [
        ("line 4: 0.png", "the same as line 2")
    ]


def test_two_columns_of_a_name_that_counts_are_refused_others_are_not(write) -> None:
    path = write("file,label,age,age,,", "0.png,cat,1,2,,", " , ,,", "9.png,dog,1,2,,")
    assert len(table.scan(path, Columns()).files) == 2
    path = write("file,label,label", "0.png,cat,1", "9.png,dog,2")
    with pytest.raises(DataError, match=r"one column of each name.* more of: `label`"):
        table.scan(path, Columns())


def test_a_quote_without_an_end_swallows_no_lines(write) -> None:
    path = write("file,label", "0.png,cat", '"1.png,cat', "9.png,dog", "8.png,dog")
    with pytest.raises(DataError, match=r"expected a CSV file.*unexpected end of data"):
        table.scan(path, Columns())


def test_one_folder_with_all_images_of_a_list_is_no_group_to_part(
    write, make_image
) -> None:
    for n in range(10):
        make_image(f"img/{n}.png")
    path = write("file,label", *(f"img/{n}.png,{label(n)}" for n in range(10)))
    assert not any("both sides" in note for note in load(path).notes)


@pytest.mark.parametrize("cats", ["ab", "a"])
def test_folders_of_a_list_are_things_to_know_unless_one_holds_a_whole_class(
    write, make_image, cats: str
) -> None:
    rows = []
    for n in range(20):
        place, animal = ((cats, "cat"), ("cd", "dog"))[n % 2]
        path = f"{place[n // 2 % len(place)]}/{n}.png"
        make_image(path)
        rows.append(f"{path},{animal}")
    notes = load(write("file,label", *rows)).notes
    assert any("both sides" in note for note in notes) == (cats == "ab")
