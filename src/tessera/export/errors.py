"""What stops an export."""


class ExportError(ValueError):
    """Nothing was exported; the message says why and what to do."""


def needs_extra(package: str) -> ExportError:
    """The error of a package that is not installed."""
    return ExportError(
        f"export: expected the package {package}. Received: it is not installed. "
        "In the checkout, `pip install '.[export]'` installs it."
    )
