"""Settings cannot be changed, misspelt or given a value of another type."""

import pytest
from pydantic import ValidationError

from tessera.frozen import Setting


class Width(Setting):
    width: int = 3


def test_a_setting_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Width().width = 4  # type: ignore[misc]


@pytest.mark.parametrize("table", [{"widht": 4}, {"width": "4"}, {"width": 4.0}])
def test_unknown_keys_and_other_types_are_refused(table: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Width.model_validate(table)
