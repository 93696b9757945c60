"""What the columns of a list of images are called."""

from tessera.frozen import Setting


class Columns(Setting):
    """The names in the first line of a CSV file that lists images."""

    file: str = "file"
    """Path of an image, relative to the list's folder; a suffix may be left out."""
    label: str = "label"
    """Its class."""
    split: str = "split"
    """train, test or val; where there is no such column, the test set is cut."""
    group: str = "group"
    """What it belongs to and is never parted from, see `groups`; need not be there."""
