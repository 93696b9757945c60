"""What a stranger downloads: locks, versions, commands, and no trace of a machine."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import tessera

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = sorted((ROOT / "locks").glob("*.txt"))
THIS_FILE = Path(__file__).name

TRACES = {
    "an option that names an index": r"--(extra-)?index-url|--find-links",
    "a setting that names an index": r"index(?<!\w.{5})(?<!emit-.{5})[-_]url\b",
    "a setting of uv that names an index": r"\[tool\.uv\.index",
    "a package index": r"pypi\.org|pythonhosted\.org|://\S*/simple\b",
    "a host of one network": r"://(localhost|10\.|192\.168\.|[^/\s]*\.(internal|corp))",
    "a folder of one machine": r"/(?<![\w.]/)(work|root|tmp/scratch)/\w",
}
"""Each begins with letters where it can: they are looked for faster than all else."""


def read(name: str) -> str:
    """A file of the repository as text."""
    return (ROOT / name).read_text(encoding="utf-8")


def locked(lock: Path) -> dict[str, list[str]]:
    """Requirement -> hashes of a lock."""
    entries = re.split(r"\n(?=\S)", lock.read_text(encoding="utf-8"))
    return {
        re.split(r" *\\?\n", entry)[0]: re.findall(r"--hash=sha256:[0-9a-f]{64}", entry)
        for entry in entries
    }


def versions(lock: Path) -> dict[str, str]:
    """Package -> version of a lock."""
    pins = [Requirement(line) for line in locked(lock)]
    return {pin.name: str(pin.specifier).removeprefix("==") for pin in pins}


def tracked() -> list[Path]:
    """The files that git knows, this one left out."""
    done = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("not a git checkout")
    names = (ROOT / name for name in done.stdout.split("\0") if name)
    return [path for path in names if path.is_file() and path.name != THIS_FILE]


@pytest.fixture(scope="module")
def traces() -> dict[str, list[str]]:
    """What each of `TRACES` finds; every file is read once."""
    found: dict[str, list[str]] = {name: [] for name in TRACES}
    for path in tracked():
        text = path.read_text("utf-8", errors="replace")
        for name, pattern in TRACES.items():
            if match := re.search(pattern, text):
                found[name].append(f"{path.relative_to(ROOT)}: {match[0]}")
    return found


@pytest.mark.parametrize("trace", TRACES)
def test_no_tracked_file_names(trace: str, traces: dict[str, list[str]]) -> None:
    assert traces[trace] == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_every_locked_package_has_one_version_and_its_hashes(lock: Path) -> None:
    for requirement, hashes in locked(lock).items():
        pin = Requirement(requirement)
        assert re.fullmatch(r"==[\w.+!]+", str(pin.specifier)), requirement
        assert pin.url is None
        assert hashes, requirement


def test_all_locks_agree_on_versions() -> None:
    known: dict[str, str] = {}
    for lock in LOCKS:
        for name, version in versions(lock).items():
            assert known.setdefault(name, version) == version, f"{lock.name}: {name}"


def test_the_locks_hold_what_the_project_asks_for() -> None:
    project = PYPROJECT["project"]
    extras = project["optional-dependencies"]
    groups = PYPROJECT["dependency-groups"]
    frameworks = [extra for extra in extras if extra.startswith(("cpu", "cuda", "jax"))]
    wanted = {name: [*project["dependencies"], *extras[name]] for name in frameworks}
    # Every other extra is locked, and so tested, with the developers' packages.
    features = [text for name in extras.keys() - wanted.keys() for text in extras[name]]
    wanted["dev"] = [*wanted["cpu"], *extras["jax"], *features, *groups["dev"]]
    assert {lock.stem for lock in LOCKS} == set(wanted)
    for lock in LOCKS:
        pins = versions(lock)
        for text in [*wanted[lock.stem], *groups["build"]]:
            if isinstance(text, str):
                asked = Requirement(text)
                name = canonicalize_name(asked.name)
                assert name in pins, f"{lock.name} lacks {name}: run `make lock`"
                assert asked.specifier.contains(pins[name]), f"{lock.name}: {text}"


def test_linux_on_x86_gets_the_small_tensorflow_and_others_the_plain_one() -> None:
    pins = [Requirement(line) for line in locked(ROOT / "locks" / "cpu.txt")]
    markers = {pin.name: pin.marker for pin in pins}
    for system, machine, expected in (
        ("linux", "x86_64", {"tensorflow-cpu"}),
        ("linux", "aarch64", {"tensorflow"}),
        ("darwin", "arm64", {"tensorflow"}),
    ):
        place = {"sys_platform": system, "platform_machine": machine}
        names = {"tensorflow", "tensorflow-cpu"}
        chosen = {n for n in names if (m := markers[n]) is None or m.evaluate(place)}
        assert chosen == expected


def test_every_place_that_states_the_version_states_the_same() -> None:
    stated = PYPROJECT["project"]["version"]
    citation = re.search(r"^version: (.+)$", read("CITATION.cff"), re.MULTILINE)
    newest = re.search(r"^## \[(.+?)\]", read("CHANGELOG.md"), re.MULTILINE)
    assert citation is not None
    assert newest is not None
    assert {tessera.__version__, citation[1], newest[1]} == {stated}


def test_every_place_that_states_the_licence_states_the_same() -> None:
    assert PYPROJECT["project"]["license"] == "Apache-2.0"
    assert "license: Apache-2.0" in read("CITATION.cff")
    assert "Apache License" in read("LICENSE").splitlines()[1]


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_every_make_command_in_the_documents_exists(document: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    written = re.findall(r"(?:^\s*|`)make ([a-z-]+)", read(document), re.MULTILINE)
    assert set(written) <= targets
    assert written


def test_a_python_that_does_not_run_is_passed_over(tmp_path: Path) -> None:
    _stub(tmp_path, "python3.13", "exit 127")
    _stub(tmp_path, "python3.12", "echo /chosen/python3.12")
    assert _find_python(tmp_path).stdout == "/chosen/python3.12\n"


def test_without_a_suitable_python_every_one_found_is_named(tmp_path: Path) -> None:
    _stub(tmp_path, "python3.13", "echo 'stub: no such version' >&2; exit 127")
    _stub(tmp_path, "python3", "echo 'Python 3.9, for which...' >&2; exit 1")
    done = _find_python(tmp_path)
    assert done.returncode == 1
    assert "python3.13: stub: no such version" in done.stderr
    assert "python3: Python 3.9" in done.stderr
    assert "make demo PYTHON=" in done.stderr


def _stub(folder: Path, name: str, body: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)


def _find_python(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the script where only the stubs in `folder` are called Python."""
    return subprocess.run(
        ["/bin/sh", str(ROOT / "tools" / "find_python.sh")],
        env={"PATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_make_refuses_an_unknown_framework_before_it_creates_anything() -> None:
    ended = subprocess.run(
        ["make", "-n", "demo", "EXTRA=jaxx"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2 and "creating" not in ended.stdout
    assert "expected cpu, cuda, jax or jax-cuda. Received: jaxx" in ended.stderr
