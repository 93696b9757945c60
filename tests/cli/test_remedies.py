"""What `tessera remedies` lists."""

import io

from rich.console import Console

from tessera.catalogue import catalogue
from tessera.cli import remedies


def test_the_list_names_every_remedy_and_what_it_changes() -> None:
    text = io.StringIO()
    remedies.show(Console(file=text, width=300))
    for name in catalogue():
        assert name in text.getvalue()
    assert "Cao et al. 2019" in text.getvalue()


def test_numbers_stand_beside_the_parts_they_belong_to() -> None:
    assert "deferred: 0.8" in remedies.describe(catalogue()["ldam-drw"])
    assert remedies.describe(catalogue()["square-root-sampling"]).endswith("power 0.5")
    assert "sharpness: 0.05" in remedies.describe(catalogue()["sam"])
