"""A framework is imported quietly, wholly and quickly."""

import gc
import importlib
import os
import signal
import sys
from collections.abc import Callable

import pytest

from tessera import loading


def test_what_is_hidden_cannot_be_imported_until_it_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with loading.hidden(("colorsys",)), pytest.raises(ImportError):
        importlib.import_module("colorsys")
    assert importlib.import_module("colorsys").rgb_to_hsv(0, 0, 0) == (0, 0, 0)


def test_what_is_imported_already_is_not_hidden() -> None:
    with loading.hidden(("signal",)):
        assert importlib.import_module("signal") is signal


@pytest.mark.parametrize("switch", [gc.enable, gc.disable])
def test_loading_leaves_the_collector_as_it_was(switch: Callable[[], None]) -> None:
    try:
        switch()
        before = gc.isenabled()
        with loading.garbage_put_off():
            assert not gc.isenabled()
        assert gc.isenabled() == before
    finally:
        gc.enable()


def test_a_real_warning_during_loading_is_passed_on(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with loading.error_stream_kept() as kept:
        os.write(2, b"I0000 note\nE0000 trouble\n")
    assert [line for line in kept if not loading.CHATTER.match(line)] == [
        "E0000 trouble\n"
    ]
    assert capfd.readouterr().err == ""
