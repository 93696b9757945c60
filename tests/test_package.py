"""`import tessera`: light, with the verbs at hand, three of them modules as well."""

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import tessera
import tessera.api
import tessera.explain
import tessera.study


@pytest.mark.parametrize("name", tessera.VERBS)
def test_every_verb_is_the_function_of_the_interface(name: str) -> None:
    verb = getattr(tessera, name)
    assert callable(verb)
    function = getattr(tessera.api, name)
    assert inspect.signature(verb) == inspect.signature(function)
    assert name in dir(tessera)


@pytest.mark.parametrize("name", tessera.VERBS)
def test_help_on_every_verb_begins_with_its_function(name: str) -> None:
    function = inspect.getdoc(getattr(tessera.api, name)) or ""
    assert "Args:" in function
    assert (inspect.getdoc(getattr(tessera, name)) or "").startswith(function)


def test_verbs_that_are_modules_keep_their_contents() -> None:
    from tessera import study

    assert study.survey.__module__ == "tessera.study"
    assert tessera.explain.__path__ and tessera.export.__path__


def test_calling_a_module_is_calling_its_verb() -> None:
    with pytest.raises(TypeError, match=r"^study\(\) got an unexpected keyword"):
        tessera.study(epoch=3)
    with pytest.raises(TypeError, match=r"^explain\(\) missing 2 required"):
        tessera.explain()
    with pytest.raises(TypeError, match=r"^export\(\) missing 2 required"):
        tessera.export()


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'fit'"):
        _ = tessera.fit


def python(script: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.slow
def test_looking_at_data_and_naming_a_verb_load_nothing_heavy_and_using_one_is_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    script = (
        "import contextlib, sys, tessera; tessera.load_data()._repr_html_(); "
        "tessera.study, tessera.predict\n"
        "assert not {'keras', 'matplotlib'} & sys.modules.keys()\n"
        "with contextlib.suppress(ValueError): tessera.predict('no-run', 'no-image')\n"
        "assert 'keras' in sys.modules"
    )
    assert python(script) == (0, "", "")


@pytest.mark.slow
def test_a_verb_that_is_a_module_of_the_framework_loads_it_without_a_word() -> None:
    script = "import sys, tessera; tessera.explain; assert 'keras' in sys.modules"
    assert python(script) == (0, "", "")
