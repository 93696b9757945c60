"""What the columns of a list of images are called."""

from typing import Annotated, Any

from pydantic import BeforeValidator

from tessera.frozen import Setting


def _text(name: Any) -> Any:
    """A number, as `--set` and TOML read it, is a name too: pandas calls columns so."""
    return str(name) if type(name) is int else name


Name = Annotated[str, BeforeValidator(_text)]


class Columns(Setting):
    """The names in the first line of a CSV file that lists images."""

    file: Name = "file"
    """Path of an image, relative to the list's folder; a suffix may be left out."""
    label: Name = "label"
    """Its class."""
    split: Name = "split"
    """train, test or val; where there is no such column, the test set is cut."""
    group: Name = "group"
    """What it belongs to and is never parted from, see `groups`; need not be there."""
