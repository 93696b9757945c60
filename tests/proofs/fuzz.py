"""Feed one reader with mutated bytes, guided by coverage, until it fails or time is up.

    python tests/proofs/fuzz.py {image,list,experiment,checkpoint} FOLDER [options]

The options are libFuzzer's.

An exception other than the reader's own ends the process with a trace, and leaves the
input that caused it in FOLDER.
"""

import contextlib
import hashlib
import sys
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["tessera", "tomllib", "json", "PIL"]):
    from tessera import checkpoint, settings
    from tessera.columns import Columns
    from tessera.data import decode, table
    from tessera.data.dataset import DataError

sys.path.insert(0, str(Path(__file__).parent))
import bad_images


def image(folder: Path) -> Callable[[bytes], None]:
    """Any bytes are a picture or unreadable."""
    path = folder / "picture"

    def one(content: bytes) -> None:
        path.write_bytes(content)
        with contextlib.suppress(decode.Unreadable):
            found = decode.picture(path, 8)
            assert found.pixels.shape == (8, 8, 3)

    for number, bad in enumerate(bad_images.files(300, seed=1)):
        if len(bad.content) < 20_000:
            (folder / "corpus" / str(number)).write_bytes(bad.content)
    return one


def a_list(folder: Path) -> Callable[[bytes], None]:
    """Any bytes name files of the list's folder, or are refused."""
    inside = folder / "listed"
    inside.mkdir(exist_ok=True)
    for name in ("a.png", "b.jpg"):
        (inside / name).touch()

    def one(content: bytes) -> None:
        (inside / "labels.csv").write_bytes(content)
        with contextlib.suppress(DataError):
            found = table.scan(inside / "labels.csv", Columns())
            assert {file.path for file in found.files} <= {
                "a.png",
                "b.jpg",
                "labels.csv",
            }

    for number, text in enumerate(
        (
            "file,label\na.png,cat\nb,dog\n",
            'label;file;split;group\r\ncat;"a.png";train;x\r\ndog;b.jpg;test;\r\n',
            "\ufeffsep=;\r\nfile;label\r\na;cat\r\nb;dog\r\n",
            '"sep=|"\nlabel|file\ncat|a.png\ndog|b.jpg\n',
            "\ufefffile\tlabel\n./a\tcat\n..\\listed\\b.jpg\tdog\n",
        )
    ):
        (folder / "corpus" / str(number)).write_bytes(text.encode())
    return one


def experiment(folder: Path) -> Callable[[bytes], None]:
    """Any file and any override are an experiment or an `ExperimentError`."""
    path = folder / "experiment.toml"

    def one(content: bytes) -> None:
        text, _, extra = content.partition(b"\0")
        path.write_bytes(text)
        overrides = [extra.decode("utf-8", "replace")] if extra else []
        with contextlib.suppress(settings.ExperimentError):
            found = settings.read(path, overrides)
            path.write_text(settings.dumps(found), encoding="utf-8")
            assert settings.read(path) == found

    whole = settings.dumps(settings.read(None)).encode()
    for number, line in enumerate([whole, *whole.split(b"\n\n")]):
        (folder / "corpus" / str(number)).write_bytes(line + b"\0seeds=[1]")
    return one


def sealed(place: Path, arrays: bytes, state: bytes) -> None:
    """A checkpoint with hashes that fit, whatever it holds."""
    place.mkdir(parents=True, exist_ok=True)
    contents = {checkpoint.ARRAYS: arrays, checkpoint.STATE: state}
    for name, content in contents.items():
        (place / name).write_bytes(content)
    lines = [f"{hashlib.sha256(c).hexdigest()}  {n}\n" for n, c in contents.items()]
    (place / checkpoint.SUMS).write_text("".join(lines))


def a_checkpoint(folder: Path) -> Callable[[bytes], None]:
    """Any checkpoint whose hashes fit is one or is unusable."""
    place = folder / "checkpoints" / "step-000000001"

    def one(content: bytes) -> None:
        state, _, arrays = content.partition(b"\0")
        sealed(place, arrays, state)
        with contextlib.suppress(checkpoint.Unusable):
            found = checkpoint.read(place, digest="d")
            assert found.step == 1

    state = (
        b'{"schema_version": 1, "step": 1, "digest": "d", "state": {"a": [0.5]}, '
        b'"arrays": {"net/0": ["<f4", [2]], "m": ["|b1", []]}}'
    )
    (folder / "corpus" / "whole").write_bytes(state + b"\0" + bytes(9))
    return one


TARGETS = {
    "image": image,
    "list": a_list,
    "experiment": experiment,
    "checkpoint": a_checkpoint,
}


def main() -> None:
    """Start libFuzzer, which does not return."""
    target, folder, options = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
    (folder / "corpus").mkdir(parents=True, exist_ok=True)
    one = TARGETS[target](folder)
    prefix = f"-artifact_prefix={folder}/"
    atheris.Setup([sys.argv[0], str(folder / "corpus"), prefix, *options], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
