"""A user's script that starts worker processes is not run again in each of them."""

import contextlib
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def script_kept_out() -> Iterator[None]:
    """Start worker processes without importing the user's script in them.

    They need nothing from it, and a script that calls `study` outside of
    `if __name__ == "__main__"` would call it again in every worker.
    """
    main = sys.modules["__main__"]
    hidden = {name: getattr(main, name, None) for name in ("__file__", "__spec__")}
    for name in hidden:
        setattr(main, name, None)
    try:
        yield
    finally:
        for name, value in hidden.items():
            setattr(main, name, value)
