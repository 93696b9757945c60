"""Atomic files: the old content or the new, never half."""

import contextlib
import io
import shlex
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tessera import checkpoint, files


def test_a_write_that_fails_midway_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "value.json"
    files.write_json(path, {"old": 1})
    with pytest.raises(TypeError):
        files.write_json(path, {"new": object()})
    with pytest.raises(RuntimeError), files.replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == '{\n  "old": 1\n}\n'
    assert [entry.name for entry in tmp_path.iterdir()] == ["value.json"]


def test_names_that_are_taken_are_numbered() -> None:
    taken = {"y"}
    found = [files.free_name(stem, taken) for stem in ("x", "x", "x-2", "x", "y")]
    assert found == ["x", "x-2", "x-2-2", "x-3", "y-2"]
    assert taken == {"y", *found}


def test_trying_to_write_leaves_what_is_there_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    files.try_writing(path)
    assert list(tmp_path.iterdir()) == []
    files.write_text(path, "kept")
    files.try_writing(path)
    assert path.read_text() == "kept" and list(tmp_path.iterdir()) == [path]


def test_names_that_differ_in_case_alone_are_one_name_on_some_disks() -> None:
    taken: set[str] = set()
    assert [files.free_name(stem, taken) for stem in ("Ä", "ä")] == ["Ä", "ä-2"]


@pytest.mark.parametrize("letter", ["y", "\N{CJK UNIFIED IDEOGRAPH-9CE5}"])
def test_the_longest_names_of_files_leave_room_for_what_is_put_to_them(
    tmp_path: Path, letter: str
) -> None:
    taken: set[str] = set()
    stem = "x." + letter * (253 // len(letter.encode()))
    names = [files.free_name(stem, taken) for _ in range(2)]
    for name in names:
        files.write_text(tmp_path / f"{name}.png", name)
    assert {path.stem for path in tmp_path.iterdir()} == set(names)
    assert stem.startswith(names[0]) and names[1] == f"{names[0]}-2"


def test_who_reads_while_a_file_is_replaced_reads_the_old_one_whole(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.txt"
    files.write_text(path, "old " * 1000)
    with path.open(encoding="utf-8") as reader:
        begun = reader.read(4)
        files.write_text(path, "new")
        assert begun + reader.read() == "old " * 1000
    assert path.read_text(encoding="utf-8") == "new"


def test_what_a_killed_process_left_goes_and_whole_files_stay(tmp_path: Path) -> None:
    half = tmp_path / "checkpoints" / f"{files.PARTIAL}a"
    half.mkdir(parents=True)
    (half / "arrays.bin").write_bytes(b"half")
    (tmp_path / f"{files.PARTIAL}b.keras").write_bytes(b"half")
    (tmp_path / "model.keras").write_bytes(b"whole")
    files.sweep(tmp_path)
    left = sorted(path.name for path in tmp_path.rglob("*"))
    assert left == ["checkpoints", "model.keras"]
    files.sweep(tmp_path / "none")


def test_nan_is_not_written_as_json(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.write_json(tmp_path / "value.json", {"score": float("nan")})


def test_arrays_come_back_as_they_went(tmp_path: Path) -> None:
    logits = np.arange(6, dtype=np.float32).reshape(2, 3)
    files.write_arrays(tmp_path / "p.npz", logits=logits)
    np.testing.assert_array_equal(
        files.read_arrays(tmp_path / "p.npz")["logits"], logits
    )


def npz(path: Path, content: bytes, name: str = "a.npy") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return path


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def claiming(shape: tuple[int, ...]) -> bytes:
    """An array of 8 bytes whose header promises another shape."""
    file = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + bytes(8)


HARMFUL = {
    "Python objects": npy(np.array([{"a": 1}], dtype=object)),
    "bytes promised": claiming((2**40,)),
    "bytes promised, 136 there": claiming((-1,)),
    "of another version": npy(np.zeros(1)).replace(b"NUMPY\x01", b"NUMPY\x02", 1),
    "magic": b"no array",
}


@pytest.mark.parametrize(("reason", "content"), HARMFUL.items(), ids=HARMFUL)
def test_arrays_that_are_not_what_they_say_are_refused(
    tmp_path: Path, reason: str, content: bytes
) -> None:
    with pytest.raises(files.CannotRead, match=reason):
        files.read_arrays(npz(tmp_path / "bad.npz", content))


def test_a_file_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(files, "MOST_BYTES", 10_000)
    bomb = npz(tmp_path / "bomb.npz", npy(np.zeros(10_000)))
    assert bomb.stat().st_size < 1000
    with pytest.raises(files.CannotRead, match="80,128 bytes, more than the 10,000"):
        files.read_arrays(bomb)


def test_a_path_that_no_room_mends_is_told_another_way_out(tmp_path: Path) -> None:
    with pytest.raises(files.CannotWrite, match=r"Nothing was.*Choose a shorter path"):
        files.write_text(tmp_path / ("n" * 5000) / "a.txt", "")
    (tmp_path / "file").touch()
    with pytest.raises(files.CannotWrite, match=r"name another folder"):
        files.write_text(tmp_path / "file" / "a.txt", "")


def test_the_way_out_of_a_damaged_file_is_one_that_a_study_takes(
    tmp_path: Path,
) -> None:
    """A study passes over a finished run, so its folder must go."""
    path = tmp_path / "seed-0" / "predictions.npz"
    files.write_arrays(path, labels=np.arange(6))
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(files.CannotRead, match=r"delete \S+seed-0 and give its comm"):
        files.read_arrays(path)


def test_a_file_of_arrays_damaged_anywhere_is_named_or_harmless(tmp_path: Path) -> None:
    path = tmp_path / "p.npz"
    files.write_arrays(path, logits=np.arange(60.0), labels=np.arange(6))
    whole = path.read_bytes()
    for at in range(0, len(whole), 3):
        path.write_bytes(whole[:at])
        with pytest.raises(files.CannotRead, match=r"p\.npz: expected arrays"):
            files.read_arrays(path)
        flipped = bytearray(whole)
        flipped[at] ^= 0x10
        path.write_bytes(flipped)
        with contextlib.suppress(files.CannotRead):
            files.read_arrays(path)
    with pytest.raises(FileNotFoundError):
        files.read_arrays(tmp_path / "none.npz")


def limited(code: str, folder: Path, sizes: list[int]) -> list[str]:
    """What the code says in a process whose files the kernel caps at each size."""
    pytest.importorskip("resource", reason="no such limit on this system")
    program = (
        "import resource, signal\n"
        "from pathlib import Path\n"
        "import numpy as np\n"
        "from tessera import checkpoint, files\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"folder = Path({str(folder)!r})\n"
        "noise = np.random.default_rng(0).bytes(100_000)\n"
        f"for size in {sizes}:\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (size, -1))\n"
        f"    try:\n        {code}\n"
        "    except files.CannotWrite as error:\n        print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("a.txt", "files.write_text(folder / 'a.txt', noise.hex())"),
        ("a.npz", "files.write_arrays(folder / 'a.npz', a=np.frombuffer(noise, 'u1'))"),
    ],
)
def test_the_kernels_refusal_at_any_byte_keeps_the_old_file(
    tmp_path: Path, name: str, code: str
) -> None:
    (tmp_path / name).write_bytes(b"old")
    said = limited(code, tmp_path, [0, 1, 4096, 50_000, 99_999])
    assert len(said) == 5
    for line in said:
        assert name in line and "File too large" in line
        assert "What was there is unchanged" in line
    assert (tmp_path / name).read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


def test_a_checkpoint_that_does_not_fit_leaves_the_one_before(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, 1, {"a": np.arange(3)}, {}, digest="d")
    code = (
        "checkpoint.save(folder, 2, {'a': np.frombuffer(noise, 'u1')}, {}, digest='d')"
    )
    said = limited(code, tmp_path, [0, 1, 4096, 99_999])
    assert ["File too large" in line for line in said] == [True] * 4
    found = checkpoint.load(tmp_path, digest="d")
    assert found is not None and found.step == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["step-000000001"]


def test_a_full_disk_is_named_and_loses_nothing(tmp_path: Path) -> None:
    """A disk of 64 KiB in a namespace of its own, where the system allows one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    program = (
        "from pathlib import Path\n"
        "from tessera import files\n"
        f"path = Path({str(disk)!r}) / 'a.txt'\n"
        "files.write_text(path, 'old')\n"
        "try:\n    files.write_text(path, 'x' * 10**6)\n"
        "except files.CannotWrite as error:\n    print(error)\n"
        "print(path.read_text(), len(list(path.parent.iterdir())))\n"
    )
    mount = f"mount -t tmpfs -o size=64k none {disk} && exec {sys.executable} -c "
    done = subprocess.run(
        [
            *["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"],
            mount + shlex.quote(program),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if "unshare" in done.stderr or "mount" in done.stderr:
        pytest.skip(f"no disk of our own here: {done.stderr.strip()}")
    assert "No space left on device" in done.stdout, done.stderr
    assert done.stdout.splitlines()[-1] == "old 1"


@pytest.fixture
def for_all() -> Iterator[Path]:
    """A folder that every user may look into, as those above `tmp_path` are not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_a_read_only_folder_is_named_and_loses_nothing(for_all: Path) -> None:
    path = for_all / "kept" / "a.txt"
    files.write_text(path, "old")
    path.parent.chmod(0o555)
    program = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from tessera import files\n"
        "if hasattr(os, 'geteuid') and os.geteuid() == 0:\n    os.seteuid(65534)\n"
        "try:\n    files.write_text(Path(sys.argv[1]), 'new')\n"
        "except files.CannotWrite as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    path.parent.chmod(0o755)
    assert "Permission denied" in done.stdout
    assert "What was there is unchanged" in done.stdout
    assert path.read_text() == "old"
    assert [entry.name for entry in path.parent.iterdir()] == ["a.txt"]


def test_what_cannot_be_replaced_stays_and_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.mkdir()
    (path / "inside").write_text("kept")
    with pytest.raises(files.CannotWrite, match=r"a\.txt: expected room.*unchanged"):
        files.write_text(path, "new")
    assert (path / "inside").read_text() == "kept"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(files.CannotWrite, match="Nothing was written"):
        files.write_text(tmp_path / "file" / "a.txt", "new")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"schema_version": 3}', "a study.json of a later Tessera (schema_version 3,"),
        ('{"schema_version": 2}', "a damaged study.json. Delete it"),
        ('{"schema_version": "3"}', "a damaged study.json. Delete it"),
        ("[]", "a damaged study.json. Delete it"),
        ("[" * 10**5, "a damaged study.json. Delete it"),
        ("\udcff", "a damaged study.json. Delete it"),
    ],
)
def test_a_later_version_is_told_apart_from_damage(
    content: str, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "study.json"
    path.write_bytes(content.encode(errors="surrogateescape"))
    assert files.unread(path, 2).startswith(said)
