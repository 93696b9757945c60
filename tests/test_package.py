"""`import tessera`: light, with the verbs at hand, two of them modules as well."""

import inspect
import subprocess
import sys

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


def test_verbs_that_are_modules_keep_their_contents() -> None:
    from tessera import study

    assert study.survey.__module__ == "tessera.study"
    assert tessera.explain.__path__


def test_calling_a_module_is_calling_its_verb() -> None:
    with pytest.raises(TypeError, match=r"^study\(\) got an unexpected keyword"):
        tessera.study(epoch=3)
    with pytest.raises(TypeError, match=r"^explain\(\) missing 2 required"):
        tessera.explain()


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'fit'"):
        _ = tessera.fit


@pytest.mark.slow
@pytest.mark.parametrize("name", ["load_data", "explain"])
def test_a_framework_that_a_verb_loads_does_not_say_a_word(name: str) -> None:
    script = f"import sys, tessera; tessera.{name}; assert 'keras' in sys.modules"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
