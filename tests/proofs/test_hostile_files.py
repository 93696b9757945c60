"""No code runs from a file that is read: canaries stay untouched, sources name none."""

import ast
from collections.abc import Iterator
from pathlib import Path

from proofs.conftest import Proof

PACKAGE = Path(__file__).parents[2] / "src" / "tessera"

FORBIDDEN = {
    "eval": "runs text",
    "exec": "runs text",
    "load_model": "a .keras file is a program",
    "load_weights": "unchecked",
    "model_from_json": "a model's config names code",
    "from_config": "a model's config names code",
    "deserialize_keras_object": "a config names code",
    "enable_unsafe_deserialization": "turns Keras' guard off",
    "extractall": "writes where an archive says",
    "unpack_archive": "writes where an archive says",
}
READERS = {
    "pickle": {"load", "loads", "Unpickler"},
    "joblib": {"load"},
    "h5py": {"File"},
}
"""Modules whose readers run, follow or believe what a file names."""

ALLOWED = {
    ("data/pickles.py", "Unpickler"): "resolves stand-ins only",
    ("models/weights.py", "load_weights"): "checks the file before",
    ("models/weights.py", "File"): "is the check",
    ("export/formats.py", "load_model"): "reads what the command has just written",
    ("explain/faithfulness/randomisation.py", "from_config"): "of a layer in memory",
}


def calls(source: str) -> Iterator[tuple[str, str, ast.Call]]:
    """Every call: what it is called on, its name, and the call."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            match node.func:
                case ast.Name(id=name):
                    yield "", name, node
                case ast.Attribute(value=ast.Name(id=owner), attr=name):
                    yield owner, name, node
                case ast.Attribute(attr=name):
                    yield "?", name, node


def faults(source: str, module: str) -> Iterator[str]:
    """Calls by which the content of a file could become code."""
    for owner, name, call in calls(source):
        given = {k.arg: k.value for k in call.keywords if k.arg}
        if (module, name) in ALLOWED:
            continue
        if name in FORBIDDEN and not (name == "eval" and owner):
            yield f"{module}:{call.lineno} {name}: {FORBIDDEN[name]}"
        if name in READERS.get(owner, ()):
            yield f"{module}:{call.lineno} {owner}.{name}: believes the file"
        for option in ("shell", "allow_pickle"):
            value = given.get(option)
            if isinstance(value, ast.Constant) and value.value is True:
                yield f"{module}:{call.lineno} {option}=True"


def test_no_module_runs_what_a_file_says(proof: Proof) -> None:
    modules = sorted(PACKAGE.rglob("*.py"))
    found = [
        fault
        for path in modules
        for fault in faults(
            path.read_text(encoding="utf-8"), path.relative_to(PACKAGE).as_posix()
        )
    ]
    assert found == []
    proof.record(
        "no_code_from_files",
        "No module loads a whole model, a pickle by its own names, or text as code; a "
        "model is rebuilt from a validated description and plain weights.",
        modules=len(modules),
        calls_found=0,
    )


def test_a_planted_call_is_found() -> None:
    planted = (
        "keras.models.load_model(p)\npickle.loads(b)\neval(t)\n"
        "np.load(p, allow_pickle=True)\nh5py.File(p)\n"
        "subprocess.run(t, shell=True)\nnet.eval()\n"
    )
    assert len(list(faults(planted, "x.py"))) == 6
