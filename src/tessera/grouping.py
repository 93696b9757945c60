"""A rule that says which images belong together, such as all of one patient."""

import re
from typing import Annotated

from pydantic import AfterValidator

BY_FOLDER = "folder"
"""The rule that images of one folder within a class are a group."""


def _checked(rule: str) -> str:
    try:
        everything = re.search(rule, "") is not None
    except (re.error, OverflowError) as error:
        raise ValueError(
            f"`{BY_FOLDER}`, or a regular expression such as (patient[0-9]+), not one "
            f"with {error}"
        ) from error
    if everything:
        raise ValueError(
            f"`{BY_FOLDER}`, or a regular expression that not every path matches"
        )
    return rule


Grouping = Annotated[str, AfterValidator(_checked)]
"""`folder`, or a regular expression that is looked for in an image's path."""


def group_of(folders: tuple[str, ...], path: str, rule: str) -> str:
    """The name of the group that an image is of; empty where it stands alone.

    Args:
        folders: Those between its class's folder and the image.
        path: Its path in the data's folder, with `/`.
        rule: `folder`: those folders, whatever the class, so that `cat/film-3` and
            `dog/film-3` are one group. Else a regular expression: what its first group
            matches first, or all of it where it has none.
    """
    if rule == BY_FOLDER:
        return "/".join(folders)
    found = re.search(rule, path)
    if found is None:
        return ""
    return (found[1] if found.re.groups else found[0]) or ""
